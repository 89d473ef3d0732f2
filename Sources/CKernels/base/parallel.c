#include "sx_isa.h"
#include "sx_parallel.h"

#include <linux/futex.h>
#include <omp.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "sizes.h"
#include "sx_system.h"

#if defined(__x86_64__)
#include <immintrin.h>

// Denormals are treated as zero while kernels run: a feature map full of them would be many times slower.
// The caller's mode is restored.
static unsigned enter_kernel_mode(void) {
    unsigned saved = _mm_getcsr();
    _mm_setcsr(saved | 0x8040);
    return saved;
}
static void leave_kernel_mode(unsigned saved) { _mm_setcsr(saved); }
static void pause_core(void) { _mm_pause(); }
#else
static unsigned enter_kernel_mode(void) { return 0; }
static void leave_kernel_mode(unsigned saved) { (void)saved; }
static void pause_core(void) {}
#endif

extern void kmp_set_blocktime(int milliseconds);

// OpenMP's own barriers wait for every thread of a region. Where another process holds a core, each region would
// last until the scheduler has given every thread a turn, milliseconds apart. So a run is one region: its leader
// opens a gate for each job, helpers go in while it is open, and at the end the leader shuts it and waits for those
// inside only.

enum {
    INSIDE = (1 << 9) - 1,    // helpers inside the gate
    OPEN = 1 << 9,            // helpers may go in
    LEADER_SLEEPS = 1 << 10,  // the last helper to leave must wake the leader
    ENDED = 1 << 11,          // there will be no more jobs
    EPOCH = 1 << 12,          // the bits from here on count jobs
    SPIN_NANOSECONDS = 50000,      // then a waiting thread lets others have its processor
    YIELD_NANOSECONDS = 1000000,   // then it sleeps: to be woken takes longer than most jobs last
    SPINS_PER_CLOCK = 64,
    BLOCKTIME_MILLISECONDS = 1,
};

/// Who sleeps on a gate: bits of futex's wake masks.
enum { LEADER = 1, HELPERS = 2 };

typedef struct {
    // The job: changed by the leader while no helper is inside.
    sx_chunk_body body;
    void *context;
    int64_t chunks;
    int threads;
    sx_parallel_record *record;

    int helpers, most_at_work;
    bool helpers_are_wanted;  // a job had work for more than one thread
    sx_isa level;  // of the leader, for kernels that are chosen inside a job
    _Alignas(64) _Atomic int64_t next;
    _Alignas(64) _Atomic uint32_t gate;
    _Alignas(64) _Atomic int asleep;
} sx_team;

/// Threads of all teams that run something, leaders included, and helpers of all teams.
static _Atomic int at_work, helpers_standing_by;
/// The team that this thread leads, while it is not inside a job.
static _Thread_local sx_team *led_team;
/// Where the jobs of this thread are recorded, while it is not inside one.
static _Thread_local sx_parallel_record *observed;

void sx_parallel_observe(sx_parallel_record *record) { observed = record; }

static int64_t nanoseconds(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * INT64_C(1000000000) + time.tv_nsec;
}

static uint32_t epoch_of(uint32_t gate) { return gate & ~(uint32_t)(EPOCH - 1); }

static void sleep_while(_Atomic uint32_t *gate, uint32_t value, int who) {
    syscall(SYS_futex, gate, FUTEX_WAIT_BITSET | FUTEX_PRIVATE_FLAG, value, NULL, NULL, who);
}

static void wake(_Atomic uint32_t *gate, int count, int who) {
    syscall(SYS_futex, gate, FUTEX_WAKE_BITSET | FUTEX_PRIVATE_FLAG, count, NULL, NULL, who);
}

typedef struct {
    int spins;
    bool yields;
    int64_t start;
} sx_spin;

/// Pauses for a moment, or yields; false when a wait has lasted long enough.
static bool spin_on(sx_spin *spin) {
    if (spin->yields) {
        sched_yield();
        return nanoseconds() - spin->start < YIELD_NANOSECONDS;
    }
    pause_core();
    if (++spin->spins % SPINS_PER_CLOCK) return true;
    int64_t now = nanoseconds();
    if (!spin->start) spin->start = now;
    spin->yields = now - spin->start >= SPIN_NANOSECONDS;
    return true;
}

static void record_worker(sx_parallel_record *record, int worker, int64_t start) {
    if (worker >= record->capacity) return;
    sx_worker_record *row = record->workers + worker;
    int64_t end = nanoseconds();
    row->region = end - start;
    row->busy += end - start;
    if (!row->first) row->first = start;
    row->last = end;
}

static void record_region(sx_parallel_record *record, int threads) {
    int64_t rows = threads < record->capacity ? threads : record->capacity, busiest = 0, sum = 0;
    for (int64_t i = 0; i < rows; i++) {
        int64_t time = record->workers[i].region;
        record->workers[i].region = 0;
        if (time > busiest) busiest = time;
        sum += time;
    }
    record->regions++;
    record->busiest += busiest;
    if (rows > 0) record->mean += sum / rows;
    if (threads > record->threads) record->threads = threads;
}

static void run_chunks(sx_team *team, int worker) {
    int64_t start = team->record ? nanoseconds() : 0;
    if (sx_isa_level() != team->level) sx_isa_set_level(team->level);
    unsigned saved = enter_kernel_mode();
    for (int64_t chunk; (chunk = atomic_fetch_add_explicit(&team->next, 1, memory_order_relaxed)) < team->chunks;)
        team->body(team->context, chunk, worker);
    leave_kernel_mode(saved);
    if (team->record) record_worker(team->record, worker, start);
}

static void run_alone(int64_t chunks, sx_chunk_body body, void *context) {
    sx_parallel_record *record = observed;
    observed = NULL;
    int64_t start = record ? nanoseconds() : 0;
    unsigned saved = enter_kernel_mode();
    for (int64_t chunk = 0; chunk < chunks; chunk++) body(context, chunk, 0);
    leave_kernel_mode(saved);
    observed = record;
    if (!record) return;
    record_worker(record, 0, start);
    record_region(record, 1);
}

/// Waits for a job other than `epoch` or for the end; returns the gate.
static uint32_t next_job(sx_team *team, uint32_t epoch) {
    sx_spin spin = {0};
    for (;;) {
        uint32_t gate = atomic_load(&team->gate);
        if (epoch_of(gate) != epoch || gate & ENDED) return gate;
        if (spin_on(&spin)) continue;
        // The leader changes the gate before it counts sleepers, a helper counts itself before it looks again.
        atomic_fetch_add(&team->asleep, 1);
        gate = atomic_load(&team->gate);
        if (epoch_of(gate) == epoch && !(gate & ENDED)) sleep_while(&team->gate, gate, HELPERS);
        atomic_fetch_sub(&team->asleep, 1);
    }
}

/// A helper's life.
static void help(sx_team *team, int worker) {
    for (uint32_t gate = 0; !((gate = next_job(team, epoch_of(gate))) & ENDED);) {
        uint32_t epoch = epoch_of(gate);
        if (atomic_fetch_add(&at_work, 1) < team->most_at_work) {
            bool is_inside = false;
            while (gate & OPEN && epoch_of(gate) == epoch && !is_inside)
                is_inside = atomic_compare_exchange_weak(&team->gate, &gate, gate + 1);
            if (is_inside) {
                if (worker < team->threads) run_chunks(team, worker);
                uint32_t before = atomic_fetch_sub(&team->gate, 1);
                if ((before & INSIDE) == 1 && before & LEADER_SLEEPS) wake(&team->gate, 1, LEADER);
            }
        }
        atomic_fetch_sub(&at_work, 1);
        gate = epoch;
    }
}

static void wait_for_helpers(sx_team *team) {
    sx_spin spin = {0};
    while (atomic_load(&team->gate) & INSIDE) {
        if (spin_on(&spin)) continue;
        uint32_t gate = atomic_fetch_or(&team->gate, LEADER_SLEEPS) | LEADER_SLEEPS;
        if (gate & INSIDE) sleep_while(&team->gate, gate, LEADER);
    }
}

static void run_job(sx_team *team, int threads, int64_t chunks, sx_chunk_body body, void *context) {
    team->body = body;
    team->context = context;
    team->chunks = chunks;
    team->threads = threads;
    team->level = sx_isa_level();
    team->record = observed;
    observed = NULL;
    atomic_store_explicit(&team->next, 0, memory_order_relaxed);
    atomic_store(&team->gate, (epoch_of(atomic_load(&team->gate)) + EPOCH) | OPEN);
    if (atomic_load(&team->asleep) && atomic_load(&at_work) < team->most_at_work)
        wake(&team->gate, threads - 1, HELPERS);
    led_team = NULL;
    run_chunks(team, 0);
    led_team = team;
    if (atomic_fetch_and(&team->gate, ~(uint32_t)OPEN) & INSIDE) wait_for_helpers(team);
    observed = team->record;
    if (team->record) record_region(team->record, threads);
}

/// Takes up to `wanted` helpers out of those that the process may have.
static int claim_helpers(int wanted, int most) {
    int before = atomic_fetch_add(&helpers_standing_by, wanted);
    int granted = (int)sx_min(wanted, sx_max(most - before, 0));
    atomic_fetch_sub(&helpers_standing_by, wanted - granted);
    return granted;
}

static void lead(sx_team *team, sx_team_body body, void *context) {
    led_team = team;
    body(context);
    led_team = NULL;
    atomic_fetch_or(&team->gate, ENDED);
    if (atomic_load(&team->asleep)) wake(&team->gate, team->helpers, HELPERS);
}

bool sx_with_team(int threads, int processors, sx_team_body body, void *context) {
    if (led_team || omp_in_parallel()) {
        body(context);
        return true;
    }
    static _Thread_local bool blocktime_is_set = false;
    if (!blocktime_is_set) {
        kmp_set_blocktime(BLOCKTIME_MILLISECONDS);
        blocktime_is_set = true;
    }
    sx_team team = {.most_at_work = threads > processors ? threads : processors};
    team.helpers = claim_helpers(threads - 1, team.most_at_work);
    atomic_fetch_add(&at_work, 1);
    if (team.helpers > 0) {
#pragma omp parallel num_threads(team.helpers + 1)
        {
            int worker = omp_get_thread_num();
            if (worker)
                help(&team, worker);
            else
                lead(&team, body, context);
        }
    } else {
        lead(&team, body, context);
    }
    atomic_fetch_sub(&at_work, 1);
    atomic_fetch_sub(&helpers_standing_by, team.helpers);
    return team.helpers_are_wanted;
}

typedef struct {
    int threads;
    int64_t chunks;
    sx_chunk_body body;
    void *context;
} sx_lone_job;

static void run_lone_job(void *context) {
    const sx_lone_job *job = context;
    sx_parallel_for(job->threads, job->chunks, job->body, job->context);
}

void sx_parallel_for(int threads, int64_t chunks, sx_chunk_body body, void *context) {
    if (threads > chunks) threads = (int)chunks;
    sx_team *team = led_team;
    if (team && threads > 1) team->helpers_are_wanted = true;
    if (team && threads > team->helpers + 1) threads = team->helpers + 1;
    if (threads <= 1 || (!team && omp_in_parallel())) {
        run_alone(chunks, body, context);
    } else if (team) {
        run_job(team, threads, chunks, body, context);
    } else {
        sx_lone_job job = {threads, chunks, body, context};
        sx_with_team(threads, sx_affinity_count(), run_lone_job, &job);
    }
}

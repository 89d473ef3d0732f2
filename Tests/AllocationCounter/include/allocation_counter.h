#ifndef ALLOCATION_COUNTER_H
#define ALLOCATION_COUNTER_H

/// Starts counting the heap allocations of this thread: other tests run beside the one that counts.
void allocation_counter_start(void);

/// Stops counting and returns how many blocks were asked for since the start.
long allocation_counter_stop(void);

#endif

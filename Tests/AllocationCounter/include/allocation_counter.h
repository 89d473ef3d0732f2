#ifndef ALLOCATION_COUNTER_H
#define ALLOCATION_COUNTER_H

/// Starts counting heap allocations of this process, on all threads.
void allocation_counter_start(void);

/// Stops counting and returns how many blocks were asked for since the start.
long allocation_counter_stop(void);

#endif

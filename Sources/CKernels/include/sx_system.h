#ifndef SX_SYSTEM_H
#define SX_SYSTEM_H

/// CPUs in the affinity mask of this process; at least 1.
int sx_affinity_count(void);

#endif

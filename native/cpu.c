#include <unistd.h>
#include <sys/syscall.h>
#include "op-dbus.h"

/* The length of the kernel's mask in bytes; sched_getaffinity(2). The C library's own function hides it. */
int opd_cpu_get_affinity(int thread, uint64_t *cpus, uint64_t size)
{
	return opd_result(syscall(SYS_sched_getaffinity, thread, size, cpus));
}

int opd_cpu_set_affinity(int thread, const uint64_t *cpus, uint64_t size)
{
	return opd_result(syscall(SYS_sched_setaffinity, thread, size, cpus));
}

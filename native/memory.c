#include <unistd.h>
#include <sys/syscall.h>
#include "op-dbus.h"

/* The kernel takes one bit less than it is told (mm/mempolicy.c, get_nodes). */
#define MAXNODE(bits) ((bits) + 1)

/* The calling thread's; the C library has none of these. */
int opd_memory_get_policy(int *mode, uint64_t *nodes, uint64_t bits)
{
	return opd_result(syscall(SYS_get_mempolicy, mode, nodes, MAXNODE(bits), NULL, 0UL));
}

int opd_memory_set_policy(int mode, const uint64_t *nodes, uint64_t bits)
{
	return opd_result(syscall(SYS_set_mempolicy, mode, nodes, MAXNODE(bits)));
}

int opd_memory_bind(void *start, uint64_t length, int mode, const uint64_t *nodes, uint64_t bits, uint32_t flags)
{
	return opd_result(syscall(SYS_mbind, start, length, mode, nodes, MAXNODE(bits), flags));
}

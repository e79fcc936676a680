/*
 * What op-dbus asks of the kernel and cannot ask from JavaScript. Each function is one question and returns a negated errno on
 * failure; what it returns for the caller to give back is a descriptor, never memory. Policy, paths and words are TypeScript's
 * (src/sys/native). Structures are the kernel's own, from its headers, so that there is no second layout to keep in step.
 */
#ifndef OP_DBUS_H
#define OP_DBUS_H

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <linux/btrfs.h>

#define OPD_API __attribute__((visibility("default")))

/* btrfs-subvolume.c: a folder is an open directory, a name has no slash in it. */
OPD_API int opd_btrfs_kind(int fd);
OPD_API int opd_btrfs_create(int folder, const char *name);
OPD_API int opd_btrfs_snapshot(int source, int folder, const char *name, int read_only);
OPD_API int opd_btrfs_delete(int folder, const char *name);
OPD_API int opd_btrfs_set_read_only(int subvolume, int read_only);
OPD_API int opd_btrfs_info(int fd, struct btrfs_ioctl_get_subvol_info_args *info);
OPD_API int opd_btrfs_set_received(int subvolume, const uint8_t *uuid, uint64_t transid);
OPD_API int opd_btrfs_sync(int fd);

/* btrfs-search.c */
OPD_API int opd_btrfs_next(int fd, uint64_t after, struct btrfs_ioctl_get_subvol_info_args *info);
OPD_API int opd_btrfs_lookup(int fd, struct btrfs_ioctl_ino_lookup_args *inode);

/* btrfs-send.c */
OPD_API int opd_btrfs_send(int subvolume, int out, uint64_t parent, const uint64_t *clones, uint32_t count, uint64_t flags);

/* attribute.c */
OPD_API int opd_attribute_get(int fd, const char *name, void *value, uint64_t size);
OPD_API int opd_attribute_set(int fd, const char *name, const void *value, uint64_t size);
OPD_API int opd_attribute_remove(int fd, const char *name);

/* echo.c: id and sequence have 16 bits. */
OPD_API int opd_echo_open(const uint8_t *address, uint64_t size, uint32_t scope);
OPD_API int opd_echo_send(int fd, int six, uint32_t id, uint32_t sequence);
OPD_API int opd_echo_receive(int fd, int six, uint32_t id, uint32_t sequence);

/* cpu.c: masks of the kernel's, sizes in bytes; thread 0 is the calling one. */
OPD_API int opd_cpu_get_affinity(int thread, uint64_t *cpus, uint64_t size);
OPD_API int opd_cpu_set_affinity(int thread, const uint64_t *cpus, uint64_t size);

/* memory.c */
OPD_API int opd_memory_get_policy(int *mode, uint64_t *nodes, uint64_t bits);
OPD_API int opd_memory_set_policy(int mode, const uint64_t *nodes, uint64_t bits);
OPD_API int opd_memory_bind(void *start, uint64_t length, int mode, const uint64_t *nodes, uint64_t bits, uint32_t flags);

/* netlink.c */
OPD_API int opd_netlink_open(int protocol);
OPD_API int opd_netlink_port(int fd, uint32_t *port);
OPD_API int opd_netlink_option(int fd, int option, int value);
OPD_API int opd_netlink_send(int fd, const void *message, uint64_t length);
OPD_API int opd_netlink_receive(int fd, void *buffer, uint64_t size, uint32_t *from);

/* readiness.c */
OPD_API int opd_watch(int fd);

/* thread.c */
int opd_thread(const char *name, void (*body)(void *), void *argument);

/* A system call's result as this library returns it. */
static inline int opd_result(long result)
{
	return result < 0 ? -errno : result;
}

#endif

#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <linux/btrfs_tree.h>
#include <linux/magic.h>
#include "op-dbus.h"

/* 0 when it is not on BTRFS, 1 when it is, 2 when it is a subvolume's top (its inode is 256 in every subvolume). */
int opd_btrfs_kind(int fd)
{
	struct statfs filesystem;
	struct stat entry;

	if (fstatfs(fd, &filesystem) < 0)
		return -errno;
	if (filesystem.f_type != BTRFS_SUPER_MAGIC)
		return 0;
	if (fstat(fd, &entry) < 0)
		return -errno;
	return entry.st_ino == BTRFS_FIRST_FREE_OBJECTID ? 2 : 1;
}

/* The kernel would cut a longer name short. */
static int copy_name(char *to, size_t size, const char *name)
{
	if (strlen(name) >= size)
		return -ENAMETOOLONG;
	strcpy(to, name);
	return 0;
}

int opd_btrfs_create(int folder, const char *name)
{
	struct btrfs_ioctl_vol_args_v2 args = { 0 };
	int result = copy_name(args.name, sizeof(args.name), name);

	return result < 0 ? result : opd_result(ioctl(folder, BTRFS_IOC_SUBVOL_CREATE_V2, &args));
}

int opd_btrfs_snapshot(int source, int folder, const char *name, int read_only)
{
	struct btrfs_ioctl_vol_args_v2 args = { .fd = source, .flags = read_only ? BTRFS_SUBVOL_RDONLY : 0 };
	int result = copy_name(args.name, sizeof(args.name), name);

	return result < 0 ? result : opd_result(ioctl(folder, BTRFS_IOC_SNAP_CREATE_V2, &args));
}

int opd_btrfs_delete(int folder, const char *name)
{
	struct btrfs_ioctl_vol_args args = { 0 };
	int result = copy_name(args.name, sizeof(args.name), name);

	return result < 0 ? result : opd_result(ioctl(folder, BTRFS_IOC_SNAP_DESTROY, &args));
}

int opd_btrfs_set_read_only(int subvolume, int read_only)
{
	uint64_t flags;

	if (ioctl(subvolume, BTRFS_IOC_SUBVOL_GETFLAGS, &flags) < 0)
		return -errno;
	flags = read_only ? flags | BTRFS_SUBVOL_RDONLY : flags & ~BTRFS_SUBVOL_RDONLY;
	return opd_result(ioctl(subvolume, BTRFS_IOC_SUBVOL_SETFLAGS, &flags));
}

/* Of the subvolume that fd is in. */
int opd_btrfs_info(int fd, struct btrfs_ioctl_get_subvol_info_args *info)
{
	return opd_result(ioctl(fd, BTRFS_IOC_GET_SUBVOL_INFO, info));
}

/* transid is the sender's generation of the subvolume. */
int opd_btrfs_set_received(int subvolume, const uint8_t *uuid, uint64_t transid)
{
	struct btrfs_ioctl_received_subvol_args args = { .stransid = transid };

	memcpy(args.uuid, uuid, sizeof(args.uuid));
	return opd_result(ioctl(subvolume, BTRFS_IOC_SET_RECEIVED_SUBVOL, &args));
}

/* Commits the running transaction of the whole file system and waits for it. */
int opd_btrfs_sync(int fd)
{
	return opd_result(ioctl(fd, BTRFS_IOC_SYNC));
}

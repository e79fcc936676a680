#include <endian.h>
#include <string.h>
#include <sys/ioctl.h>
#include <linux/btrfs_tree.h>
#include "op-dbus.h"

/* No item is larger than the largest node (fs/btrfs/ctree.h: BTRFS_MAX_METADATA_BLOCKSIZE, 64 KiB). */
struct search {
	struct btrfs_ioctl_search_args_v2 args;
	struct btrfs_ioctl_search_header header;
	uint8_t item[65536];
} __attribute__((packed));

/* The first item of the root tree at or after this key: 1 when there is one, 0 at the end. */
static int find(int fd, const struct btrfs_key *from, struct search *search)
{
	search->args.key = (struct btrfs_ioctl_search_key){
		.tree_id = BTRFS_ROOT_TREE_OBJECTID,
		.min_objectid = from->objectid,
		.min_type = from->type,
		.min_offset = from->offset,
		.max_objectid = BTRFS_LAST_FREE_OBJECTID,
		.max_type = UINT32_MAX,
		.max_offset = UINT64_MAX,
		.max_transid = UINT64_MAX,
		.nr_items = 1,
	};
	search->args.buf_size = sizeof(*search) - sizeof(search->args);
	if (ioctl(fd, BTRFS_IOC_TREE_SEARCH_V2, &search->args) < 0)
		return -errno;
	return search->args.key.nr_items > 0;
}

static struct btrfs_ioctl_timespec time_of(const struct btrfs_timespec *time)
{
	return (struct btrfs_ioctl_timespec){ .sec = le64toh(time->sec), .nsec = le32toh(time->nsec) };
}

/* As fs/btrfs/ioctl.c btrfs_ioctl_get_subvol_info does it. */
static void take_root(const struct search *search, struct btrfs_ioctl_get_subvol_info_args *info)
{
	struct btrfs_root_item root = { 0 };

	/* Before Linux 3.6 a root item ended at generation_v2. */
	memcpy(&root, search->item, search->header.len < sizeof(root) ? search->header.len : sizeof(root));
	memset(info, 0, sizeof(*info));
	info->treeid = search->header.objectid;
	info->generation = le64toh(root.generation);
	info->flags = le64toh(root.flags);
	if (root.generation != root.generation_v2)
		return;
	memcpy(info->uuid, root.uuid, sizeof(info->uuid));
	memcpy(info->parent_uuid, root.parent_uuid, sizeof(info->parent_uuid));
	memcpy(info->received_uuid, root.received_uuid, sizeof(info->received_uuid));
	info->ctransid = le64toh(root.ctransid);
	info->otransid = le64toh(root.otransid);
	info->stransid = le64toh(root.stransid);
	info->rtransid = le64toh(root.rtransid);
	info->ctime = time_of(&root.ctime);
	info->otime = time_of(&root.otime);
	info->stime = time_of(&root.stime);
	info->rtime = time_of(&root.rtime);
}

static int take_place(const struct search *search, struct btrfs_ioctl_get_subvol_info_args *info)
{
	struct btrfs_root_ref place;
	uint16_t length;

	memcpy(&place, search->item, sizeof(place));
	length = le16toh(place.name_len);
	if (length >= sizeof(info->name) || sizeof(place) + length > search->header.len)
		return -EUCLEAN;
	info->parent_id = search->header.offset;
	info->dirid = le64toh(place.dirid);
	memcpy(info->name, search->item + sizeof(place), length);
	return 1;
}

/* The subvolume with the lowest id above `after`, of all in fd's file system that have a place in it: 1, or 0 when there is none. */
int opd_btrfs_next(int fd, uint64_t after, struct btrfs_ioctl_get_subvol_info_args *info)
{
	struct btrfs_key key = { .objectid = after < BTRFS_FIRST_FREE_OBJECTID ? BTRFS_FIRST_FREE_OBJECTID : after + 1 };
	struct search search;
	uint64_t found = 0;
	int result;

	while ((result = find(fd, &key, &search)) > 0) {
		key = (struct btrfs_key){ search.header.objectid, search.header.type, search.header.offset };
		if (key.type == BTRFS_ROOT_ITEM_KEY) {
			take_root(&search, info);
			found = key.objectid;
		}
		/* A subvolume that was deleted and not yet cleaned away has no place: its reference is gone. */
		if (key.type == BTRFS_ROOT_BACKREF_KEY && key.objectid == found)
			return take_place(&search, info);
		if (++key.offset == 0 && ++key.type == 0)
			key.objectid++;
	}
	return result;
}

/* The path of an inode from the top of its tree, with a slash at its end; treeid 0 stands for fd's own tree and is filled in. */
int opd_btrfs_lookup(int fd, struct btrfs_ioctl_ino_lookup_args *inode)
{
	return opd_result(ioctl(fd, BTRFS_IOC_INO_LOOKUP, inode));
}

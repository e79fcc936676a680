#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>
#include "op-dbus.h"

struct sending {
	int subvolume, out, teller;
	struct btrfs_ioctl_send_args args;
	uint64_t clones[];
};

static void forget(struct sending *sending)
{
	close(sending->subvolume);
	close(sending->out);
	close(sending->teller);
	free(sending);
}

static void run(void *argument)
{
	struct sending *sending = argument;
	int32_t result = opd_result(ioctl(sending->subvolume, BTRFS_IOC_SEND, &sending->args));

	/* Before the result, so that whoever has it finds the stream's end in a pipe. */
	close(sending->out);
	sending->out = -1;
	send(sending->teller, &result, sizeof(result), MSG_NOSIGNAL);
	forget(sending);
}

/*
 * Begins to write the stream of a read-only subvolume to `out`, on a thread of its own, since it takes as long as its reader.
 * Returns a socket that has the result when it is done: an int32, zero or a negated errno. parent and clones are subvolume ids;
 * parent is zero for a full stream. The descriptors remain the caller's, to close when it likes.
 */
int opd_btrfs_send(int subvolume, int out, uint64_t parent, const uint64_t *clones, uint32_t count, uint64_t flags)
{
	struct sending *sending = calloc(1, sizeof(*sending) + count * sizeof(*clones));
	int pair[2], result;

	if (sending == NULL)
		return -ENOMEM;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) < 0) {
		result = -errno;
		free(sending);
		return result;
	}
	sending->teller = pair[1];
	sending->subvolume = fcntl(subvolume, F_DUPFD_CLOEXEC, 0);
	sending->out = fcntl(out, F_DUPFD_CLOEXEC, 0);
	result = sending->subvolume < 0 || sending->out < 0 ? -errno : 0;
	if (count > 0)
		memcpy(sending->clones, clones, count * sizeof(*clones));
	sending->args.send_fd = sending->out;
	sending->args.clone_sources = (__u64 *)sending->clones;
	sending->args.clone_sources_count = count;
	sending->args.parent_root = parent;
	sending->args.flags = flags;
	if (result == 0)
		result = opd_thread("opd-send", run, sending);
	if (result == 0)
		return pair[0];
	forget(sending);
	close(pair[0]);
	return result;
}

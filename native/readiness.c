#include <fcntl.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>
#include "op-dbus.h"

struct watch {
	int epoll, watched, teller;
};

static void forget(struct watch *watch)
{
	close(watch->epoll);
	close(watch->watched);
	close(watch->teller);
	free(watch);
}

static void run(void *argument)
{
	struct watch *watch = argument;
	struct epoll_event event;

	for (;;) {
		int count = epoll_wait(watch->epoll, &event, 1, -1);

		if (count < 0 && errno == EINTR)
			continue;
		if (count < 0 || event.data.fd == watch->teller)
			break;
		/* A socket that is full of bytes not yet read has said it already: who reads them looks after that. */
		send(watch->teller, "", 1, MSG_DONTWAIT | MSG_NOSIGNAL);
	}
	forget(watch);
}

static int add(const struct watch *watch, int fd, uint32_t events)
{
	struct epoll_event event = { .events = events, .data.fd = fd };

	return epoll_ctl(watch->epoll, EPOLL_CTL_ADD, fd, &event);
}

/*
 * Returns a stream socket that gets a byte each time something arrives at fd, and one at once where something is there already. After
 * each the reader takes from fd what there is: it is told of arrivals, not of what is left. Closing the socket ends the watch; fd
 * remains the caller's, and is open for as long as the watch is.
 */
int opd_watch(int fd)
{
	struct watch *watch = malloc(sizeof(*watch));
	int pair[2], result = 0;

	if (watch == NULL)
		return -ENOMEM;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) < 0) {
		result = -errno;
		free(watch);
		return result;
	}
	watch->teller = pair[1];
	watch->epoll = epoll_create1(EPOLL_CLOEXEC);
	watch->watched = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	/* No events: the other end's closing is always told. */
	if (watch->epoll < 0 || watch->watched < 0 || add(watch, watch->watched, EPOLLIN | EPOLLET) < 0 || add(watch, watch->teller, 0) < 0)
		result = -errno;
	if (result == 0)
		result = opd_thread("opd-watch", run, watch);
	if (result == 0)
		return pair[0];
	forget(watch);
	close(pair[0]);
	return result;
}

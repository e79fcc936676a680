#include <sys/socket.h>
#include <unistd.h>
#include <linux/netlink.h>
#include "op-dbus.h"

/* A socket of that protocol, bound to a port that the kernel chooses. netlink(7). */
int opd_netlink_open(int protocol)
{
	struct sockaddr_nl address = { .nl_family = AF_NETLINK };
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol);
	int result;

	if (fd < 0)
		return -errno;
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0)
		return fd;
	result = -errno;
	close(fd);
	return result;
}

int opd_netlink_port(int fd, uint32_t *port)
{
	struct sockaddr_nl address;
	socklen_t length = sizeof(address);

	if (getsockname(fd, (struct sockaddr *)&address, &length) < 0)
		return -errno;
	*port = address.nl_pid;
	return 0;
}

int opd_netlink_option(int fd, int option, int value)
{
	return opd_result(setsockopt(fd, SOL_NETLINK, option, &value, sizeof(value)));
}

/* To the kernel, which takes a message whole. */
int opd_netlink_send(int fd, const void *message, uint64_t length)
{
	struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };

	return opd_result(sendto(fd, message, length, MSG_DONTWAIT, (struct sockaddr *)&kernel, sizeof(kernel)));
}

/* The length of the next message, which is larger than size when the rest was cut off, and the port that it is from: 0 for the kernel. */
int opd_netlink_receive(int fd, void *buffer, uint64_t size, uint32_t *from)
{
	struct sockaddr_nl sender = { 0 };
	socklen_t sender_length = sizeof(sender);
	ssize_t length = recvfrom(fd, buffer, size, MSG_DONTWAIT | MSG_TRUNC, (struct sockaddr *)&sender, &sender_length);

	*from = sender.nl_pid;
	return opd_result(length);
}

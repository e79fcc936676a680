#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/ip_icmp.h>
#include <netinet/icmp6.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "op-dbus.h"

/* The eight bytes of an echo request or reply (RFC 792, RFC 4443 4.1), of either family. */
struct echo {
	uint8_t type;
	uint8_t code;
	uint16_t checksum;
	uint16_t id;
	uint16_t sequence;
};

static int connected(int fd, const struct sockaddr *address, socklen_t length)
{
	int result;

	if (fd < 0)
		return -errno;
	if (connect(fd, address, length) == 0)
		return fd;
	result = -errno;
	close(fd);
	return result;
}

/* A socket for echoes of one host, whose address has 4 or 16 bytes; scope is the interface of a link-local one. raw(7): for root. */
int opd_echo_open(const uint8_t *address, uint64_t size, uint32_t scope)
{
	struct sockaddr_in four = { .sin_family = AF_INET };
	struct sockaddr_in6 six = { .sin6_family = AF_INET6, .sin6_scope_id = scope };
	int kind = SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK;

	if (size == sizeof(four.sin_addr)) {
		memcpy(&four.sin_addr, address, size);
		return connected(socket(AF_INET, kind, IPPROTO_ICMP), (struct sockaddr *)&four, sizeof(four));
	}
	if (size != sizeof(six.sin6_addr))
		return -EINVAL;
	memcpy(&six.sin6_addr, address, size);
	return connected(socket(AF_INET6, kind, IPPROTO_ICMPV6), (struct sockaddr *)&six, sizeof(six));
}

/* RFC 1071. The kernel makes ICMPv6's own, which covers the addresses too. */
static uint16_t checksum(const struct echo *echo)
{
	uint32_t sum = ntohs(*(const uint16_t *)echo) + ntohs(echo->id) + ntohs(echo->sequence);

	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return htons((uint16_t)~sum);
}

int opd_echo_send(int fd, int six, uint32_t id, uint32_t sequence)
{
	struct echo echo = { .type = six ? ICMP6_ECHO_REQUEST : ICMP_ECHO, .id = htons((uint16_t)id), .sequence = htons((uint16_t)sequence) };

	if (!six)
		echo.checksum = checksum(&echo);
	return opd_result(send(fd, &echo, sizeof(echo), MSG_DONTWAIT));
}

/* Takes all that has arrived: 1 when the reply was among it, 0 when not. */
int opd_echo_receive(int fd, int six, uint32_t id, uint32_t sequence)
{
	uint8_t packet[2048];
	struct echo echo;
	int found = 0;

	for (;;) {
		ssize_t length = recv(fd, packet, sizeof(packet), MSG_DONTWAIT);
		/* raw(7): IPv4 gives its header too, whose length is in words of four bytes. */
		size_t start = six || length <= 0 ? 0 : (packet[0] & 0x0f) * 4u;

		if (length < 0)
			return errno == EAGAIN ? found : -errno;
		if ((size_t)length < start + sizeof(echo))
			continue;
		memcpy(&echo, packet + start, sizeof(echo));
		if (echo.type == (six ? ICMP6_ECHO_REPLY : ICMP_ECHOREPLY) && ntohs(echo.id) == id && ntohs(echo.sequence) == sequence)
			found = 1;
	}
}

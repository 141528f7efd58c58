// SPDX-License-Identifier: GPL-2.0-only
#include "LoadBalancer/health/heartbeats.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "common/base/elapsed.h"
#include "common/core/abi_heartbeats.h"
#include "common/heartbeat/memory.h"

#define FORGED_EVERY 1000 /* milliseconds between two notes of one sender */

static __u64 day_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (__u64)now.tv_sec * 1000000 + (__u64)now.tv_nsec / 1000;
}

/* What is remembered of this sender. */
static void row_read(const struct heartbeats *heartbeats,
		     const struct addr *host, struct heartbeat_row *row)
{
	if (bpf_map_lookup_elem(heartbeats->map, host, row))
		memset(row, 0, sizeof(*row));
}

/* Before anything is believed: what is not remembered could come again. */
static int row_write(struct heartbeats *heartbeats, const struct addr *host,
		     const struct heartbeat_row *row)
{
	struct fault said = {0};

	if (!bpf_map_update_elem(heartbeats->map, host, row, BPF_ANY))
		return 0;
	if (!heartbeats->unremembered++) {
		fault(&said, "cannot remember a heartbeat: %s",
		      strerror(errno));
		fault_warn(&said);
	}
	return -1;
}

/* Its own key was not used: who has the host's address is not known. */
static void forged(struct heartbeats *heartbeats, const struct addr *host)
{
	struct heartbeat_row row;
	__u64 now = event_now();

	row_read(heartbeats, host, &row);
	if (row.forged_at && now - row.forged_at < FORGED_EVERY)
		return;
	row.forged_at = now;
	row_write(heartbeats, host, &row);
}

/* A host speaks only for addresses that its line of the file of keys has. */
static void services_heard(struct heartbeats *heartbeats,
			   const struct heartbeat *heartbeat,
			   const struct heartbeat_key *key, bool clock_is_wrong)
{
	const struct heartbeat_service *service = heartbeat->services;
	const struct heartbeat_key *own;
	struct heard_service heard;
	int i;

	for (i = 0; i < heartbeat->count; i++, service++) {
		own = heartbeat_keys_find(&heartbeats->keys, &service->backend);
		heard = (struct heard_service){
			.service = service,
			.interval = heartbeat->interval,
			.clock_is_wrong = clock_is_wrong,
		};
		if (!own || own->line != key->line ||
		    !checks_heard(heartbeats->checks, &heard))
			heartbeats->unlisted++;
	}
}

static void note(struct heartbeat_row *row, const struct heartbeat *heartbeat,
		 __s64 ahead, bool clock_is_wrong)
{
	row->heard = event_now();
	row->ahead = ahead;
	if (clock_is_wrong)
		row->clock_at = row->heard;
	memcpy(row->digest, heartbeat->digest, sizeof(row->digest));
	row->interval = heartbeat->interval;
	row->flows = heartbeat->flows;
	row->moved = heartbeat->moved;
	row->cpu = heartbeat->cpu;
}

static enum heartbeat_word parse(const struct heartbeat_key *key,
				 const __u8 *datagram, size_t length,
				 struct heartbeat *heartbeat)
{
	enum heartbeat_word word = HEARTBEAT_FORGED;
	int i;

	for (i = 0; i < key->count && word == HEARTBEAT_FORGED; i++)
		word = heartbeat_parse(datagram, length, key->keys[i],
				       heartbeat);
	return word;
}

static enum heartbeat_word take(struct heartbeat_socket *socket,
				const __u8 *datagram, size_t length)
{
	struct heartbeats *heartbeats = socket->all;
	bool ipv6 = socket != heartbeats->sockets;
	__u64 now = day_now();
	__u64 window =
		(__u64)heartbeats->checks->config->heartbeat_clock * 1000;
	const struct heartbeat_key *key;
	struct heartbeat heartbeat;
	struct heartbeat_row row;
	enum heartbeat_word word;
	struct addr host;

	word = heartbeat_host(datagram, length, &host);
	if (word != HEARTBEAT_ACCEPTED)
		return word;
	key = heartbeat_keys_find(&heartbeats->keys, &host);
	if (!key)
		return HEARTBEAT_STRANGER;
	word = parse(key, datagram, length, &heartbeat);
	if (word == HEARTBEAT_FORGED)
		forged(heartbeats, &host);
	if (word != HEARTBEAT_ACCEPTED)
		return word;
	row_read(heartbeats, &host, &row);
	word = heartbeat_remember(&row.memory, &heartbeat, ipv6, now, window);
	if (word == HEARTBEAT_REPLAYED)
		return word;
	if (word == HEARTBEAT_REPEATED) {
		row_write(heartbeats, &host, &row);
		return word;
	}
	note(&row, &heartbeat, heartbeat_ahead(&heartbeat, now),
	     word == HEARTBEAT_CLOCK);
	if (!row_write(heartbeats, &host, &row))
		services_heard(heartbeats, &heartbeat, key,
			       word == HEARTBEAT_CLOCK);
	return word;
}

/* When the datagram came, and how many before it did not fit. */
static void control_read(struct heartbeat_socket *socket,
			 struct msghdr *message)
{
	struct cmsghdr *each;
	struct timespec at;

	for (each = CMSG_FIRSTHDR(message); each;
	     each = CMSG_NXTHDR(message, each)) {
		if (each->cmsg_level != SOL_SOCKET)
			continue;
		if (each->cmsg_type == SO_RXQ_OVFL)
			memcpy(&socket->overflowed, CMSG_DATA(each),
			       sizeof(socket->overflowed));
		if (each->cmsg_type != SCM_TIMESTAMPNS)
			continue;
		memcpy(&at, CMSG_DATA(each), sizeof(at));
		socket->read_to =
			(__u64)at.tv_sec * 1000000 + (__u64)at.tv_nsec / 1000;
	}
}

static void turn(struct heartbeat_socket *socket)
{
	struct heartbeats *heartbeats = socket->all;
	/* One byte more than any may have. */
	__u8 datagram[HEARTBEAT_MOST + 1];
	__u64 control[16], now;
	struct iovec part = {datagram, sizeof(datagram)};
	struct msghdr message;
	ssize_t length;
	int left;

	for (left = HEARTBEAT_TURN; left; left--) {
		message = (struct msghdr){.msg_iov = &part,
					  .msg_iovlen = 1,
					  .msg_control = control,
					  .msg_controllen = sizeof(control)};
		now = day_now();
		length = recvmsg(socket->fd, &message, 0);
		if (length < 0)
			break;
		control_read(socket, &message);
		heartbeats->counts[take(socket, datagram, (size_t)length)]++;
	}
	if (left && errno == EAGAIN)
		socket->read_to = now;
}

void heartbeats_readable(evutil_socket_t fd, short what, void *data)
{
	(void)fd;
	(void)what;
	turn(data);
}

bool heartbeats_read_to(struct heartbeats *heartbeats, __u64 at)
{
	struct heartbeat_socket *socket = heartbeats->sockets;
	__u64 now = day_now();
	char byte;
	int i;

	for (i = 0; i < 2; i++, socket++) {
		if (socket->fd < 0 || socket->read_to >= at)
			continue;
		if (recv(socket->fd, &byte, 1, MSG_PEEK) >= 0 ||
		    errno != EAGAIN)
			return false;
		socket->read_to = now;
	}
	return true;
}

bool heartbeats_can_hear(const struct heartbeats *heartbeats)
{
	return (heartbeats->sockets[0].fd >= 0 ||
		heartbeats->sockets[1].fd >= 0) &&
	       heartbeats->map >= 0 && heartbeats->keys.count;
}

__u64 heartbeats_overflowed(const struct heartbeats *heartbeats)
{
	return (__u64)heartbeats->sockets[0].overflowed +
	       heartbeats->sockets[1].overflowed;
}

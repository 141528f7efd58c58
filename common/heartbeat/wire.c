// SPDX-License-Identifier: GPL-2.0-only
#include "common/heartbeat/wire.h"

#include <endian.h>
#include <netinet/in.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <string.h>

#include "common/core/inline.h"

#define VERSION	  1
#define MAC_BYTES 32

struct wire_head {
	char magic[4];
	__u8 version, zero;
	__be16 length;
	__be64 instance, sequence, time;
	struct addr host;
	__u8 digest[32];
	__be32 interval, flows, moved;
	__be16 cpu, count;
};
_Static_assert(sizeof(struct wire_head) == 96, "wire_head");

struct wire_service {
	struct addr vip, backend;
	__be16 port;
	__u8 protocol, state;
	__be32 flows, moved, zero;
	char why[HEARTBEAT_WHY];
};
_Static_assert(sizeof(struct wire_service) == 80, "wire_service");
_Static_assert(sizeof(struct wire_head) +
			       HEARTBEAT_SERVICES *
				       sizeof(struct wire_service) +
			       MAC_BYTES <=
		       HEARTBEAT_MOST,
	       "HEARTBEAT_SERVICES");

static __be64 wire64(__u64 number)
{
	return (FORCE __be64)htobe64(number);
}

static __u64 host64(__be64 number)
{
	return be64toh((FORCE __u64)number);
}

static const char magic[4] = {'L', '3', 'H', 'B'};

const char *heartbeat_word(enum heartbeat_word word)
{
	static const char *const words[] = {
#define HEARTBEAT_TEXT(NAME, word, what) word,
		HEARTBEAT_WORDS(HEARTBEAT_TEXT)
#undef HEARTBEAT_TEXT
	};

	return words[word];
}

/* Returns 0, or -1: OpenSSL has no memory, or no SHA-256. */
static int mac_of(const __u8 *key, const __u8 *bytes, size_t length,
		  __u8 mac[MAC_BYTES])
{
	unsigned int size = MAC_BYTES;

	return HMAC(EVP_sha256(), key, HEARTBEAT_KEY, bytes, length, mac,
		    &size) && size == MAC_BYTES
		       ? 0
		       : -1;
}

static void service_build(const struct heartbeat_service *from,
			  struct wire_service *to)
{
	memset(to, 0, sizeof(*to));
	to->vip = from->key.vip;
	to->backend = from->backend;
	to->port = from->key.port;
	to->protocol = from->key.protocol;
	to->state = from->state;
	to->flows = bpf_htonl(from->flows);
	to->moved = bpf_htonl(from->moved);
	memcpy(to->why, from->why, strnlen(from->why, sizeof(to->why)));
}

size_t heartbeat_build(const struct heartbeat *heartbeat,
		       const __u8 key[HEARTBEAT_KEY], __u8 *datagram)
{
	size_t length = sizeof(struct wire_head), i;
	struct wire_service service;
	struct wire_head head = {
		.version = VERSION,
		.instance = wire64(heartbeat->instance),
		.sequence = wire64(heartbeat->sequence),
		.time = wire64(heartbeat->time),
		.host = heartbeat->host,
		.interval = bpf_htonl(heartbeat->interval),
		.flows = bpf_htonl(heartbeat->flows),
		.moved = bpf_htonl(heartbeat->moved),
		.cpu = bpf_htons(heartbeat->cpu),
		.count = bpf_htons(heartbeat->count),
	};

	memcpy(head.magic, magic, sizeof(magic));
	memcpy(head.digest, heartbeat->digest, sizeof(head.digest));
	for (i = 0; i < heartbeat->count; i++) {
		service_build(&heartbeat->services[i], &service);
		memcpy(datagram + length, &service, sizeof(service));
		length += sizeof(service);
	}
	head.length = bpf_htons((__u16)(length + MAC_BYTES));
	memcpy(datagram, &head, sizeof(head));
	return mac_of(key, datagram, length, datagram + length)
		       ? 0
		       : length + MAC_BYTES;
}

enum heartbeat_word heartbeat_host(const __u8 *datagram, size_t length,
				   struct addr *host)
{
	struct wire_head head;

	if (length < sizeof(magic) || memcmp(datagram, magic, sizeof(magic)))
		return HEARTBEAT_FOREIGN;
	if (length > HEARTBEAT_MOST)
		return HEARTBEAT_TOO_LARGE;
	if (length < HEARTBEAT_LEAST)
		return HEARTBEAT_TRUNCATED;
	memcpy(&head, datagram, sizeof(head));
	if (head.version != VERSION)
		return HEARTBEAT_VERSION;
	if (bpf_ntohs(head.length) != length)
		return HEARTBEAT_TRUNCATED;
	*host = head.host;
	return HEARTBEAT_ACCEPTED;
}

/* 0, or -1: no sender of this version writes that. */
static int service_parse(const __u8 *from, struct heartbeat_service *to)
{
	struct wire_service service;
	size_t i, length;

	memcpy(&service, from, sizeof(service));
	*to = (struct heartbeat_service){
		.key = {.vip = service.vip,
			.port = service.port,
			.protocol = service.protocol},
		.backend = service.backend,
		.state = service.state,
		.flows = bpf_ntohl(service.flows),
		.moved = bpf_ntohl(service.moved),
	};
	memcpy(to->why, service.why, sizeof(service.why));
	length = strlen(to->why);
	for (i = 0; i < sizeof(service.why); i++) {
		if (i < length ? to->why[i] < ' ' || to->why[i] > '~'
			       : to->why[i] != '\0')
			return -1;
	}
	return service.state < HEARTBEAT_STATES && !service.zero &&
			       (service.protocol == IPPROTO_TCP ||
				service.protocol == IPPROTO_UDP)
		       ? 0
		       : -1;
}

enum heartbeat_word heartbeat_parse(const __u8 *datagram, size_t length,
				    const __u8 key[HEARTBEAT_KEY],
				    struct heartbeat *heartbeat)
{
	size_t covered = length - MAC_BYTES, i;
	struct wire_head head;
	__u8 mac[MAC_BYTES];

	if (mac_of(key, datagram, covered, mac) ||
	    CRYPTO_memcmp(mac, datagram + covered, MAC_BYTES))
		return HEARTBEAT_FORGED;
	memcpy(&head, datagram, sizeof(head));
	*heartbeat = (struct heartbeat){
		.instance = host64(head.instance),
		.sequence = host64(head.sequence),
		.time = host64(head.time),
		.host = head.host,
		.interval = bpf_ntohl(head.interval),
		.flows = bpf_ntohl(head.flows),
		.moved = bpf_ntohl(head.moved),
		.cpu = bpf_ntohs(head.cpu),
		.count = bpf_ntohs(head.count),
	};
	memcpy(heartbeat->digest, head.digest, sizeof(head.digest));
	if (head.zero || !heartbeat->instance || !heartbeat->sequence ||
	    heartbeat->count > HEARTBEAT_SERVICES ||
	    covered != sizeof(head) +
			       heartbeat->count * sizeof(struct wire_service))
		return HEARTBEAT_MALFORMED;
	for (i = 0; i < heartbeat->count; i++) {
		if (service_parse(datagram + sizeof(head) +
					  i * sizeof(struct wire_service),
				  &heartbeat->services[i]))
			return HEARTBEAT_MALFORMED;
	}
	return HEARTBEAT_ACCEPTED;
}

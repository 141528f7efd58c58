// SPDX-License-Identifier: GPL-2.0-only
/*
 * fuzz_packet.c - any bytes at all as a frame
 *
 * Laws: packet_parse() reads nothing outside the frame and writes nothing;
 * what it understands, an oracle that walks the bytes by itself reads in the
 * same way. Of a packet for a service only the destination, the TTL and the
 * IPv4 header checksum change, and the restorer gives back what came. A
 * checksum that was true stays true, and one that was false is never made
 * true: the sum over what it covers does not change at all. A mark and an
 * updated checksum come off again as they were put on; a packet inside another
 * is read as it would be by itself.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/core/echo.h"
#include "common/core/quote.h"
#include "common/core/rewrite.h"
#include "common/core/tunnel.h"
#include "tests/fuzz/reading.h"
#include "tests/unit/oracle.h"

static void require_understood(const struct packet *packet,
			       const struct reading *r, const uint8_t *frame)
{
	bool tcp = r->protocol == 6 && !r->is_later;
	bool udp = r->protocol == 17 && !r->is_later;
	size_t at = L3 + (r->is_ipv6 ? 8 : 12), size = r->is_ipv6 ? 16 : 4;
	const uint8_t *source = (const uint8_t *)&packet->source;
	const uint8_t *destination = (const uint8_t *)&packet->destination;

	REQUIRE(packet->has_destination);
	REQUIRE(packet->is_ipv6 == r->is_ipv6);
	REQUIRE(packet->protocol == r->protocol);
	REQUIRE(packet->l4_offset + L3 == r->l4);
	REQUIRE(!memcmp(source + 16 - size, frame + at, size));
	REQUIRE(!memcmp(destination + 16 - size, frame + at + size, size));
	REQUIRE(packet->ttl == frame[L3 + (r->is_ipv6 ? 7 : 8)]);
	if (tcp || udp) {
		REQUIRE(r->l4 + (tcp ? 20 : 8) <= r->end);
		REQUIRE(!memcmp(&packet->source_port, frame + r->l4, 2));
		REQUIRE(!memcmp(&packet->port, frame + r->l4 + 2, 2));
	} else {
		REQUIRE(!packet->source_port && !packet->port);
	}
	if (tcp) {
		REQUIRE(!memcmp(&packet->sequence, frame + r->l4 + 4, 4));
		REQUIRE(packet->payload ==
			packet->length - packet->l4_offset -
				(frame[r->l4 + 12] >> 4) * 4);
	}
	REQUIRE(!!(packet->flags & PACKET_LATER) == r->is_later);
	REQUIRE(!!(packet->flags & PACKET_SYN) ==
		(tcp && (frame[r->l4 + 13] & 0x12) == 0x02));
	REQUIRE(!!(packet->flags & PACKET_RST) ==
		(tcp && frame[r->l4 + 13] & 0x04));
	REQUIRE(!!(packet->flags & PACKET_FIN) ==
		(tcp && frame[r->l4 + 13] & 0x01));
	REQUIRE(!!(packet->flags & PACKET_PUSH) ==
		(tcp && frame[r->l4 + 13] & 0x08));
	REQUIRE(!packet->is_echo ||
		(r->protocol == (r->is_ipv6 ? 58 : 1) && r->l4 + 8 <= r->end &&
		 frame[r->l4 + 1] == 0 &&
		 frame[r->l4] == (r->is_ipv6 ? 128 : 8)));
}

static uint16_t header_sum(const uint8_t *frame)
{
	return sum_of(frame + L3, (frame[L3] & 15) * 4, 0);
}

/* Only bytes [from, to), the TTL and the IPv4 checksum may differ. */
static void require_same_but(const struct copy *c, const struct reading *r,
			     size_t from, size_t to)
{
	size_t i;

	for (i = 0; i < c->length; i++) {
		if ((i >= from && i < to) || i == L3 + (r->is_ipv6 ? 7u : 8u))
			continue;
		if (!r->is_ipv6 && (i == L3 + 10 || i == L3 + 11))
			continue;
		REQUIRE(c->now[i] == c->before[i]);
	}
	if (!r->is_ipv6)
		REQUIRE(header_sum(c->now) == header_sum(c->before));
}

static void require_identity(const struct copy *c, const struct reading *r)
{
	uint8_t *check = c->now + L3 + 10;

	/* One's complement has two zeros; they count as equal. */
	if (!r->is_ipv6 && word(c->before + L3 + 10) == 0xffff &&
	    word(check) == 0)
		check[0] = check[1] = 0xff;
	REQUIRE(!memcmp(c->now, c->before, c->length));
}

static void forward(const struct copy *c, const struct reading *r)
{
	size_t at = L3 + (r->is_ipv6 ? 24 : 16), size = r->is_ipv6 ? 16 : 4;
	uint8_t *end = c->now + c->length;
	struct packet packet;
	struct addr vip, backend;
	uint64_t state = c->length;
	uint8_t ttl;
	size_t i;

	/*
	 * An address for each frame that depends on it alone, so that a finding
	 * can be repeated.
	 */
	for (i = 0; i < c->length; i++)
		state = state * 257 + c->before[i];
	draw_bytes(&state, (uint8_t *)&backend, sizeof(backend));

	REQUIRE(packet_parse(&packet, c->now, end) == REASON_NONE);
	vip = packet.destination;
	ttl = packet.ttl;
	rewrite_destination(&packet, &backend);
	rewrite_ttl(&packet, ttl - 1);
	REQUIRE(!memcmp(c->now + at, (uint8_t *)&backend + 16 - size, size));
	REQUIRE(c->now[L3 + (r->is_ipv6 ? 7 : 8)] == (uint8_t)(ttl - 1));
	require_same_but(c, r, at, at + size);

	REQUIRE(packet_parse(&packet, c->now, end) == REASON_NONE);
	rewrite_destination(&packet, &vip);
	require_same_but(c, r, 0, 0);
	rewrite_ttl(&packet, ttl);
	require_identity(c, r);
}

/*
 * The L4 checksum is the same number in one's complement (0 and 0xffff are
 * one), and nothing else differs.
 */
static void require_sum_back(const struct copy *c, const struct reading *r)
{
	size_t at = r->l4 + (r->protocol == 6 ? 16 : 6);

	if (!r->is_later && at + 2 <= c->length) {
		REQUIRE(word(c->now + at) % 0xffff ==
			word(c->before + at) % 0xffff);
		memcpy(c->now + at, c->before + at, 2);
	}
	require_identity(c, r);
}

/* `dscp` and `checksum: update`: put on, and taken off again. */
static void mark_and_update(const struct copy *c, const struct reading *r)
{
	uint8_t *end = c->now + c->length, tos;
	struct packet packet;
	struct addr vip, backend;

	REQUIRE(packet_parse(&packet, c->now, end) == REASON_NONE);
	tos = packet_tos(&packet);
	dscp_set(&packet, (uint8_t)~tos >> 2);
	REQUIRE(packet_tos(&packet) == (tos ^ 0xfc));
	if (!r->is_ipv6)
		REQUIRE(header_sum(c->now) == header_sum(c->before));
	tos_set(&packet, tos);
	require_identity(c, r);
	vip = packet.destination;
	memset(&backend, 0xa5, sizeof(backend));
	if (!r->is_ipv6)
		addr_set_v4(&backend, 0xa5a5a5a5);
	rewrite_checksum(&packet, &vip, &backend);
	rewrite_checksum(&packet, &backend, &vip);
	require_sum_back(c, r);
}

/* An inner packet is read as if it had come by itself. */
static void inside(const struct copy *c, const struct reading *r,
		   const struct packet *outer)
{
	size_t rest = c->length - r->l4;
	uint8_t *memory = malloc(rest + L3 + 2), *frame = memory + 2;
	bool is_ipv6 = r->protocol == 41;
	struct packet inner, bare;
	enum reason reason, other;

	memset(frame, 0, L3);
	frame[12] = is_ipv6 ? 0x86 : 0x08;
	frame[13] = is_ipv6 ? 0xdd : 0x00;
	memcpy(frame + L3, c->before + r->l4, rest);
	reason = tunnel_inner(&inner, outer, c->now, c->now + c->length);
	if (reason == REASON_NONE)
		reason = packet_parse_above(&inner, c->now + c->length);
	other = packet_parse(&bare, frame, frame + L3 + rest);
	REQUIRE(!memcmp(c->now, c->before, c->length));
	REQUIRE(reason == other ||
		(reason == REASON_malformed && r->l4 > L3_MOST));
	if (reason == REASON_NONE) {
		REQUIRE(inner.l3_offset == r->l4);
		inner.eth = bare.eth;
		inner.l3 = bare.l3;
		inner.l4 = bare.l4;
		inner.end = bare.end;
		inner.l3_offset = bare.l3_offset;
		REQUIRE(!memcmp(&inner, &bare, sizeof(bare)));
	}
	free(memory);
}

/* Zero and minus zero are the same number. */
static uint16_t icmp_sum(const uint8_t *frame, const struct reading *r)
{
	size_t length = r->end - r->l4;
	uint16_t sum = 0;

	if (r->is_ipv6)
		sum = sum_of_pseudo_header(frame + L3, 58, length);
	return sum_of(frame + r->l4, length, sum) % 0xffff;
}

static void answer(const struct copy *c, const struct reading *r)
{
	size_t at = L3 + (r->is_ipv6 ? 8 : 12), size = r->is_ipv6 ? 16 : 4;
	size_t ttl = L3 + (r->is_ipv6 ? 7 : 8), i;
	struct packet packet;

	REQUIRE(packet_parse(&packet, c->now, c->now + c->length) ==
		REASON_NONE);
	echo_reply(&packet);
	REQUIRE(!memcmp(c->now, c->before + 6, 6));
	REQUIRE(!memcmp(c->now + 6, c->before, 6));
	REQUIRE(!memcmp(c->now + at, c->before + at + size, size));
	REQUIRE(!memcmp(c->now + at + size, c->before + at, size));
	REQUIRE(c->now[ttl] == 64);
	REQUIRE(c->now[r->l4] == (r->is_ipv6 ? 129 : 0));
	REQUIRE(icmp_sum(c->now, r) == icmp_sum(c->before, r));
	if (!r->is_ipv6)
		REQUIRE(header_sum(c->now) == header_sum(c->before));
	for (i = 12; i < c->length; i++) {
		if (i == ttl || (i >= at && i < at + 2 * size) || i == r->l4 ||
		    i == r->l4 + 2 || i == r->l4 + 3 ||
		    (!r->is_ipv6 && (i == L3 + 10 || i == L3 + 11)))
			continue;
		REQUIRE(c->now[i] == c->before[i]);
	}
}

/*
 * Reads stay within the frame and nothing is written; an IPv4 header ends where
 * it should.
 */
static void quoted(const struct copy *c, const struct reading *r,
		   struct packet *packet)
{
	size_t at = r->l4 + 8, l4;

	packet_quote(packet, packet->l4, c->now + c->length);
	REQUIRE(!memcmp(c->now, c->before, c->length));
	if (!packet->is_error || r->is_ipv6)
		return;
	l4 = at + (c->before[at] & 15) * 4;
	REQUIRE(l4 + 8 <= r->end);
	REQUIRE(packet->protocol == c->before[at + 9]);
	REQUIRE(!memcmp(&packet->quoted.w[3], c->before + at + 12, 4));
	REQUIRE(!memcmp(&packet->source.w[3], c->before + at + 16, 4));
	REQUIRE(!memcmp(&packet->port, c->before + l4, 2));
	REQUIRE(!memcmp(&packet->source_port, c->before + l4 + 2, 2));
}

/* What the fast parser accepts, the full one reads in the same way. */
static void require_plain_agrees(const struct copy *c,
				 const struct packet *packet,
				 enum reason reason)
{
	struct packet plain;
	enum reason other =
		packet_parse_plain(&plain, c->now, c->now + c->length);

	if (other == REASON_UNUSUAL)
		return;
	REQUIRE(other == reason);
	REQUIRE(!memcmp(&plain, packet, sizeof(plain)));
}

static void try_frame(const struct copy *c);

/* A frame with tags is read as the same frame without them. */
static void try_tagged(const struct copy *c, struct packet *tagged,
		       enum reason reason)
{
	size_t tags = tagged->l3_offset - L3, rest = c->length - tags;
	uint8_t *before = malloc(rest), *memory = malloc(rest + 2);
	struct copy bare = {before, memory + 2, rest};
	struct packet packet;

	REQUIRE(tags == 4 || tags == 8);
	REQUIRE(word(c->before + 12) == 0x8100 ||
		word(c->before + 12) == 0x88a8);
	REQUIRE((tagged->vlan.outer & 0xfff) == (word(c->before + 14) & 0xfff));
	REQUIRE(!tagged->vlan.inner == (tags == 4));
	memcpy(before, c->before, 12);
	memcpy(before + 12, c->before + 12 + tags, rest - 12);
	memcpy(bare.now, before, rest);
	REQUIRE(packet_parse(&packet, bare.now, bare.now + rest) == reason ||
		reason == REASON_vlan_tagged);
	REQUIRE(packet.has_destination == tagged->has_destination ||
		reason == REASON_vlan_tagged);
	tagged->l3_offset = L3;
	tagged->vlan = packet.vlan;
	tagged->eth = packet.eth;
	tagged->l3 = packet.l3;
	tagged->l4 = packet.l4;
	tagged->end = packet.end;
	if (reason != REASON_vlan_tagged) { /* or there are more than two */
		REQUIRE(!memcmp(tagged, &packet, sizeof(packet)));
		try_frame(&bare);
	}
	free(before);
	free(memory);
}

static void try_frame(const struct copy *c)
{
	struct packet packet;
	struct reading r;
	enum reason reason;

	reason = packet_parse(&packet, c->now, c->now + c->length);
	REQUIRE(!memcmp(c->now, c->before, c->length));
	REQUIRE(reason <= REASON_MAX);
	require_plain_agrees(c, &packet, reason);
	if (packet.vlan.outer) {
		try_tagged(c, &packet, reason);
		return;
	}
	if (reason != REASON_NONE)
		return;
	r = read_frame(c->before, c->length);
	require_understood(&packet, &r, c->before);
	if (packet.flags & PACKET_QUOTES)
		quoted(c, &r, &packet);
	if (tunnel_is(&packet) && !r.is_later && r.l4 <= c->length)
		inside(c, &r, &packet);
	if (r.protocol == 6 || r.protocol == 17) {
		forward(c, &r);
		memcpy(c->now, c->before, c->length);
		mark_and_update(c, &r);
	} else if (packet.is_echo) {
		answer(c, &r);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/*
	 * The end is exact, for the sanitizer; the start is two bytes off, so
	 * that what is behind the 14 bytes of Ethernet is aligned.
	 */
	uint8_t *memory = malloc(size + 2);
	struct copy copy = {data, memory + 2, size};

	memcpy(copy.now, data, size);
	try_frame(&copy);
	free(memory);
	return 0;
}

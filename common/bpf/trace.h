/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * trace.h - pieces of the line that a decision writes into trace_pipe
 *
 * A line is assembled from strings that are formatted one by one into a per-CPU
 * buffer, because bpf_trace_vprintk() takes twelve arguments and a MAC address
 * alone would need six (its %pM loses the whole line).
 *
 * A line costs about 300 ns, and nothing if no line is wanted. It is written by
 * a function of its own, with its facts in a map, so that neither its stack nor
 * its branches burden the data path. Each function begins with a test of
 * can_trace: the kernel verifies it whether or not it is called, and the
 * helpers it calls do not exist before 5.16.
 */
#pragma once

#include "common/bpf/maps.h"
#include "common/core/address.h"
#include "common/core/transport.h"
#include "common/core/verifier.h"

#define TEXT_ROOM 64 /* for an endpoint: the longest has 47 characters */

struct line {
	/* What the line says; filled in by the data path. */
	struct addr source;
	struct addr destination;
	__u8 interface[16]; /* at a multiple of 4, see line_interface() */
	__be16 source_port;
	__be16 port;
	__u8 protocol;
	__u8 flags; /* enum packet_flags */
	__u8 is_error;
	__u8 action;
	__u8 reason;

	/* The parts of the line, as text. */
	char from[TEXT_ROOM];
	char to[TEXT_ROOM];
	char more[TEXT_ROOM];
	char hop[160];
};

/* What both programs say about any packet. */
INLINE void line_packet(struct line *line, const struct packet *packet,
			enum reason reason)
{
	line->source = packet->source;
	line->destination = packet->destination;
	line->source_port = packet->source_port;
	line->port = packet->port;
	line->protocol = packet->protocol;
	line->flags = packet->flags;
	line->is_error = packet->is_error;
	line->reason = reason;
	line->action = reason_action(reason);
}

INLINE void line_interface(struct line *line, const struct interface *in)
{
	/* Untold that it is aligned, the compiler takes it byte by byte. */
	__builtin_memcpy(__builtin_assume_aligned(line->interface, 4),
			 __builtin_assume_aligned(in->name, 4),
			 sizeof(in->name));
}

INLINE void line_begin(struct line *line, const struct packet *packet,
		       const struct interface *in, enum reason reason)
{
	line_packet(line, packet, reason);
	line_interface(line, in);
}

/* Powers of two, so that a mask keeps an index within bounds. */
#define REASONS_ROOM 128
#define ACTIONS_ROOM 8
_Static_assert(REASON_MAX <= REASONS_ROOM, "room for every reason");

static const char reason_names[REASONS_ROOM][24] = {
#define REASON_STRING(name, action, programs, text) [REASON_##name] = #name,
	REASONS(REASON_STRING)
#undef REASON_STRING
};

static const char action_names[ACTIONS_ROOM][16] = {
	[XDP_ABORTED] = "XDP_ABORTED",	 [XDP_DROP] = "XDP_DROP",
	[XDP_PASS] = "XDP_PASS",	 [XDP_TX] = "XDP_TX",
	[XDP_REDIRECT] = "XDP_REDIRECT",
};

/*
 * An address as text. IPv6 is written in full: bpf_snprintf() has no other
 * form.
 */
NOINLINE int trace_address(char *text, const struct addr *addr)
{
	if (addr->w[2] == V4_MAPPED && !addr->w[0] && !addr->w[1])
		BPF_SNPRINTF(text, TEXT_ROOM, "%pI4", &addr->w[3]);
	else
		BPF_SNPRINTF(text, TEXT_ROOM, "%pI6", addr->w);
	return 0;
}

/* The same with a port. */
NOINLINE int trace_endpoint(char *text, const struct addr *addr, __be16 port)
{
	__u64 number = bpf_ntohs(port);

	if (addr->w[2] == V4_MAPPED && !addr->w[0] && !addr->w[1])
		BPF_SNPRINTF(text, TEXT_ROOM, "%pI4:%u", &addr->w[3], number);
	else
		BPF_SNPRINTF(text, TEXT_ROOM, "[%pI6]:%u", addr->w, number);
	return 0;
}

INLINE const char *trace_protocol(const struct line *line)
{
	if (line->is_error)
		return "icmp error";
	if (line->protocol == IPPROTO_TCP && line->flags & PACKET_SYN)
		return "tcp syn";
	if (line->protocol == IPPROTO_TCP && line->flags & PACKET_RST)
		return "tcp rst";
	return transport_name(line->protocol);
}

/* Both ends of the packet, as text. */
INLINE void trace_ends(struct line *line)
{
	trace_endpoint(line->from, &line->source, line->source_port);
	trace_endpoint(line->to, &line->destination, line->port);
}

#define TRACE_REASON(line) reason_names[WITHIN((line)->reason, REASONS_ROOM)]
#define TRACE_ACTION(line) action_names[WITHIN((line)->action, ACTIONS_ROOM)]

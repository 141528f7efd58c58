/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * hand.h - how a packet gets into a separately verified function
 *
 * Such a function takes five arguments, the context and numbers. The rule:
 *
 *  - The packet is handed in the map `parsed`, [0]. The caller puts it there
 *    with hand_packet(), and says so by that; the function takes it with
 *    handed_packet(). parse.h leaves there what it has parsed. The
 *    function cannot use its pointers: it takes the frame from the context,
 *    and compares each offset with its limit again.
 *  - What is more than the packet, and does not fit into the arguments, is
 *    handed in a map of the program with a packet of its own: `scratch` of
 *    xdp_lbr, `outsides` of xdp_bkd (both in datapath/maps.bpf.h).
 *  - Numbers are arguments, among them the key of what the function looks up.
 *
 * One exception, because each packet of three of the methods goes this way: see
 * union forwarding_packet in LoadBalancer/datapath/forward.bpf.h.
 */
#pragma once

#include <stdbool.h>

#include "common/bpf/maps.h"
#include "common/core/inline.h"
#include "common/core/packet_parse.h"

/* The packet that was handed over; NULL: never, but for the verifier. */
INLINE struct packet *handed_packet(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&parsed, &zero);
}

/*
 * A copy of it, with pointers into the frame [data, end). False: never, but for
 * the verifier.
 */
INLINE bool take_packet(struct packet *packet, const struct packet *handed,
			void *data, void *end)
{
	*packet = *handed;
	return !packet_locate(packet, data, end);
}

/* False: never, but for the verifier. */
INLINE bool hand_packet(const struct packet *packet)
{
	struct packet *to = handed_packet();

	if (to)
		*to = *packet;
	return to;
}

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * nat.h - how long a translated flow lives
 *
 * A flow ends without a process: it is over when its last packet is older than
 * its phase allows, and its row may be taken by another flow when the port has
 * rested, too. For TCP (RFC 5382, RFC 7857):
 *
 * - It is established when the client answers the backend. Before, it lives for
 *   NAT_YOUNG seconds: longer than the longest pause between a SYN and its
 *   repetition that a client waits for. RFC 5382 wants 4 minutes; but then a
 *   flood of SYNs would need a twelfth of the rate to fill the table.
 * - FINs of both sides close it. What still comes is translated, and keeps it
 *   for as long as the side that closed first may be in TIME-WAIT.
 * - A RST only shortens it, as long as it is the last packet: whoever guesses
 *   a client's port can send one, and both ends ignore it if its sequence
 *   number is wrong. Any other packet lengthens it again.
 *
 * A port rests for NAT_REST seconds after the last packet for which its flow
 * was alive: so the backend has forgotten the flow before, and a packet that
 * was delayed on the way reaches nobody. The rest also makes it safe to read a
 * row without a lock: a CPU would have to wait for a minute between two reads.
 */
#pragma once

#include "common/core/abi_nat.h"
#include "common/core/age.h"
#include "common/core/packet.h"

/* Seconds. */
#define NAT_YOUNG	     20
#define NAT_REST	     60
#define NAT_ESTABLISHED_IDLE (2 * 3600 + 240) /* RFC 5382: 2 h 4 min */

#define NAT_CLOSED (NAT_FIN_CLIENT | NAT_FIN_BACKEND)

/* In jiffies. */
struct nat_times {
	__u32 second;
	__u32 udp_idle;
};

/* Both sides have closed it, or one has reset it. */
INLINE int nat_is_ending(__u8 phase)
{
	return phase & NAT_RESET || (phase & NAT_CLOSED) == NAT_CLOSED;
}

/* Does its port only rest? Late packets are translated all the same. */
INLINE int nat_is_over(union nat_state state)
{
	return state.protocol == IPPROTO_TCP && nat_is_ending(state.phase);
}

/* The phase after a packet. `is_reply`: from the backend. */
INLINE __u8 nat_next(__u8 phase, int is_reply, const struct packet *packet)
{
	__u8 flags = packet->flags;

	/* An ICMP error is of neither side. */
	if (packet->is_error)
		return phase;
	if (is_reply)
		phase |= NAT_REPLIED;
	if (packet->protocol != IPPROTO_TCP)
		return phase;
	/* The client begins again, from the same port. */
	if (flags & PACKET_SYN && !is_reply && nat_is_ending(phase))
		return NAT_OPEN;
	if (flags & PACKET_RST)
		return phase | NAT_RESET;
	phase &= ~NAT_RESET;
	if (flags & PACKET_FIN)
		phase |= is_reply ? NAT_FIN_BACKEND : NAT_FIN_CLIENT;
	if (!is_reply && phase & NAT_REPLIED && !(flags & PACKET_SYN))
		phase |= NAT_ESTABLISHED;
	return phase;
}

/* For how many jiffies after its last packet a flow is alive. */
INLINE __u32 nat_life(union nat_state state, const struct nat_times *times)
{
	if (!(state.phase & NAT_OPEN))
		return 0;
	if (state.protocol != IPPROTO_TCP)
		return times->udp_idle;
	if (nat_is_ending(state.phase))
		return NAT_REST * times->second;
	if (state.phase & NAT_ESTABLISHED)
		return NAT_ESTABLISHED_IDLE * times->second;
	return NAT_YOUNG * times->second;
}

/* `now`: the low half of jiffies. */
INLINE int nat_lives(union nat_state state, const struct nat_times *times,
		     __u32 now)
{
	return state.phase & NAT_OPEN &&
	       age_low(now, state.seen) <= nat_life(state, times);
}

/*
 * May another flow have the row? An ending flow has rested while it lived. One
 * that is taken and not filled in is one that will never be.
 */
INLINE int nat_is_free(union nat_state state, const struct nat_times *times,
		       __u32 now)
{
	__u32 rest = NAT_REST * times->second;

	if (!(state.phase & (NAT_OPEN | NAT_TAKEN)))
		return 1;
	if (state.phase & NAT_OPEN && nat_is_over(state))
		rest = 0;
	return age_low(now, state.seen) > nat_life(state, times) + rest;
}

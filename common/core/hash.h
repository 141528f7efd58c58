/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * hash.h - a flow as one number
 *
 * Which slot a flow falls on must be the same on every load balancer that
 * reads the same file, so there is no seed, and nothing of the host goes in.
 * 64-bit words are multiplied in turn (the odd constant is 2^64 / golden
 * ratio) and the result is finished as MurmurHash3 does: every bit of the
 * input moves about half of the bits of the output.
 */
#pragma once

#include "common/core/packet.h"

INLINE __u64 hash_mix(__u64 hash, __u64 word)
{
	hash ^= word;
	hash *= 0x9e3779b97f4a7c15ULL;
	return hash ^ (hash >> 32);
}

INLINE __u64 hash_addr(__u64 hash, const struct addr *addr)
{
	hash = hash_mix(hash, (__u64)bpf_ntohl(addr->w[0]) << 32 |
				      bpf_ntohl(addr->w[1]));
	return hash_mix(hash, (__u64)bpf_ntohl(addr->w[2]) << 32 |
				      bpf_ntohl(addr->w[3]));
}

/* What all that is for an address shares. */
INLINE __u64 hash_destination(const struct addr *addr)
{
	return hash_addr(3, addr);
}

/*
 * All 64 bits: the high half for tables of backends, the low one for flows.
 * The VIP by itself, so that the CPU need not wait for the client to be done.
 */
INLINE __u64 hash_packet(const struct packet *packet)
{
	__u64 hash = (__u64)packet->protocol << 32 |
		     (__u32)bpf_ntohs(packet->source_port) << 16 |
		     bpf_ntohs(packet->port);

	hash = hash_addr(hash, &packet->source);
	hash = hash_mix(hash, hash_destination(&packet->destination));
	hash ^= hash >> 33;
	hash *= 0xff51afd7ed558ccdULL;
	return hash;
}

INLINE __u32 hash_flow(const struct packet *packet)
{
	return hash_packet(packet) >> 32;
}

/* A hash as a slot of a table of `size`, without a division. */
INLINE __u32 hash_slot(__u32 hash, __u32 size)
{
	return (__u64)hash * size >> 32;
}

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * hash.h - the slot of a flow, as one number
 *
 * A flow must have the same slot on every load balancer with the same file, so
 * there is no seed, and nothing of the host goes in. 64-bit words are
 * multiplied in turn (the odd constant is 2^64 / golden ratio), and the result
 * is finished as in MurmurHash3: every input bit flips about half of the output
 * bits.
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

/* The part that all packets to one address share. */
INLINE __u64 hash_destination(const struct addr *addr)
{
	return hash_addr(3, addr);
}

/*
 * All 64 bits; service tables use the high half. Anybody can compute it, and
 * make a flow with the same hash: it only says in which slot a flow begins and
 * never identifies a flow (see flow_hash()).
 */
INLINE __u64 hash_ends(const struct addr *source, __be16 source_port,
		       const struct addr *destination, __be16 port,
		       __u8 protocol)
{
	__u64 hash = (__u64)protocol << 32 |
		     (__u32)bpf_ntohs(source_port) << 16 | bpf_ntohs(port);

	hash = hash_addr(hash, source);
	/*
	 * Computed apart, so that the CPU need not wait for the client's
	 * address.
	 */
	hash = hash_mix(hash, hash_destination(destination));
	hash ^= hash >> 33;
	hash *= 0xff51afd7ed558ccdULL;
	return hash;
}

INLINE __u64 hash_packet(const struct packet *packet)
{
	return hash_ends(&packet->source, packet->source_port,
			 &packet->destination, packet->port, packet->protocol);
}

/* Maps a hash to a slot of a table of `size`, without a division. */
INLINE __u32 hash_slot(__u32 hash, __u32 size)
{
	return (__u64)hash * size >> 32;
}

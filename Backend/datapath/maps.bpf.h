/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * maps.bpf.h - xdp_bkd's maps, and what is known of a packet on its way through
 * it: the decision
 *
 * What both programs have is in common/bpf/maps.h.
 */
#pragma once

#include <stdbool.h>

#include "common/bpf/maps.h"
#include "common/bpf/trace.h"

/* What the file says for this host, once for each generation. */
MAP_OF_GENERATIONS(restores, ARRAY, BPF_F_MMAPABLE, __u32, struct restores, 1);
MAP_OF_GENERATIONS(sources, LPM_TRIE, BPF_F_NO_PREALLOC, struct prefix, __u8,
		   MAX_SOURCES);

/* Second chance: who may have the flows of a slot, and who that is. */
MAP_OF_GENERATIONS(lists, ARRAY, BPF_F_INNER_MAP | BPF_F_MMAPABLE, __u32,
		   struct candidates, 1);
MAP_OF_GENERATIONS(peers, ARRAY, BPF_F_INNER_MAP | BPF_F_MMAPABLE, __u32,
		   struct addr, 1);

/* Not of a generation: where peers are, for methods that are not routed. */
MAP(peer_links, HASH, struct addr, struct peer_link, PEER_LINKS);

/*
 * Key `restore: tc`: this host's own address, on which the server of a VIP's
 * port listens; port 0: of any. Not of a generation: the tool removes what no
 * row needs.
 */
MAP_SPARSE(servers, HASH, struct service_key, struct addr, MAX_RESTORES);
/*
 * Or, where by the service's method all that comes to the server's address and
 * port is for the VIP: the VIP of both.
 */
MAP_SPARSE(server_vips, HASH, struct service_key, struct addr, MAX_RESTORES);
/* ... and its listeners, by the port of the VIP: see listener.bpf.h. */
MAP(listeners, SOCKHASH, struct service_key, __u64, MAX_RESTORES);

/* Packets passed on in one second: [0]. */
MAP(passed_on, PERCPU_ARRAY, __u32, struct budget, 1);

/* What was done with packets; see also `reasons`. */
MAP(restore_counts, PERCPU_ARRAY, __u32, __u64, MAX_COUNTERS);

/* UDP flows whose first packet was traced; used for nothing else. */
MAP(traced_flows, LRU_HASH, struct flow_key, __u8, 4096);

/* A packet, and the row that it is restored by. */
struct decision {
	struct packet packet;
	const struct restore *restore;
};

/* The row that find_row() looks for: [0]. */
MAP(wanted, PERCPU_ARRAY, __u32, struct restore_key, 1);

/* What ipip_inside() gets besides the inner packet: the outer header, [0]. */
struct outside {
	struct prefix source; /* all bits of it: a key of `sources` */
	struct addr destination;
	__u32 l3_offset; /* with the tags before it */
	__u32 tos;
	__u32 ttl;
	__u32 is_ipv6;
	__u32 is_asked; /* whether the packet inside has a socket here */
};
MAP(outsides, PERCPU_ARRAY, __u32, struct outside, 1);

/* ... or for second chance, the packet that looks for its socket: [0]. */
struct chance {
	struct candidates list;
	struct addr next; /* where it goes; an answer */
	struct bpf_sock_tuple ends;
	/* The headers as the server will see them. */
	union {
		struct iphdr ipv4;
		struct ipv6hdr ipv6;
	};
	struct tcphdr tcp;
	/* The header with this host's address: where it is, and what it has. */
	struct addr own;
	__u32 l3_offset;
	__u32 l4_offset;
	__u32 own_is_ipv6;
	__u32 checksum;	  /* enum checksum */
	__u32 generation; /* its index */
	__u32 former;	  /* key of a further list, or 0 */
	__u32 passes;	  /* that are left */
	__u32 self;	  /* this host's number in `peers` */
	__u32 is_ipv6;
	__u32 is_error; /* an ICMP error about a packet between these ends */
	__u32 fragment; /* PACKET_FIRST, PACKET_LATER or 0 */
	/*
	 * 0: routers forward it to the next one. Else it stays on this device's
	 * segment, and goes to this MAC address; an answer.
	 */
	__u32 device;
	__u8 mac[ETH_ALEN];
	__u16 most; /* see struct interface */
};
MAP(chances, PERCPU_ARRAY, __u32, struct chance, 1);

/* A line of the trace, and what only xdp_bkd says in it. */
struct bkd_line {
	struct line line;
	struct addr vip;
	__u32 is_noted; /* for this packet */
};

/* The line under construction. */
MAP(lines, PERCPU_ARRAY, __u32, struct bkd_line, 1);

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * reason.h - every way out of the data path, in one table
 *
 * A program leaves through one function, which counts a reason and returns its
 * action. So there can be no action without a reason, and no reason with two
 * actions.
 *
 * The law of the table: a reason whose action is PASS leaves the packet bit for
 * bit as it came, except `neighbour_unresolved`, `device_passed` and
 * `super_packet` (the kernel forwards it), `neighbour_prompted` (the kernel
 * answers it), `restored`, `decapsulated` and
 * `second_chance_spent`.
 *
 * REASON(name, action, programs, explanation)
 */
#pragma once

#include <linux/bpf.h>
#include <linux/types.h>

#define IN_LBR 1
#define IN_BKD 2

/* clang-format off */
#define REASONS(REASON) \
REASON(not_ip, PASS, IN_LBR | IN_BKD, \
	"neither IPv4 nor IPv6 (ARP, LLDP, ...)") \
REASON(vlan_tagged, PASS, IN_LBR | IN_BKD, \
	"carries a VLAN tag of no VLAN device here, or more than two") \
REASON(foreign_mac, PASS, IN_LBR | IN_BKD, \
	"for the MAC address of another host, or broadcast") \
REASON(no_configuration, PASS, IN_LBR, \
	"no configuration is in the kernel") \
REASON(malformed, PASS, IN_LBR | IN_BKD, \
	"a header is truncated or inconsistent; not for a VIP") \
REASON(not_vip, PASS, IN_LBR, \
	"the destination is no VIP") \
REASON(path_mtu_learned, PASS, IN_LBR, \
	"ipip: a router on the path to a backend reports its MTU, and quotes our mark as proof") \
REASON(path_mtu_refused, PASS, IN_LBR, \
	"ipip: a report of a path MTU with a wrong mark or checksum, or an impossible MTU: not believed") \
REASON(unmatched_passed, PASS, IN_LBR, \
	"for a VIP but for none of its services; unmatched: pass") \
REASON(unmatched, DROP, IN_LBR, \
	"for a VIP but for none of its services") \
REASON(local_passed, PASS, IN_LBR, \
	"for a VIP but for none of its services, and the VIP is an address of this host") \
REASON(would_loop, DROP, IN_LBR, \
	"for a VIP, to be passed up, but the kernel would send it back to where it came from") \
REASON(neighbour_discovery, PASS, IN_LBR, \
	"ICMPv6 neighbour discovery for a VIP (RFC 4861): the kernel answers if the VIP is its own address") \
REASON(martian, DROP, IN_LBR, \
	"for a VIP, from an address that no host can have, or from the VIP itself") \
REASON(malformed_vip, DROP, IN_LBR, \
	"a header is truncated or inconsistent, or the IPv4 checksum of a packet to be answered or tunnelled is wrong; for a VIP") \
REASON(fragment, DROP, IN_LBR, \
	"a fragment for a VIP, and the first fragment of its packet has not come before it") \
REASON(extension, DROP, IN_LBR, \
	"for a VIP, with an IPv6 extension header that cannot be forwarded") \
REASON(ttl_exceeded, DROP, IN_LBR, \
	"TTL or hop limit would become 0, and no ICMP error may be sent about it") \
REASON(icmp_error_limited, DROP, IN_LBR, \
	"an ICMP error was due, but `icmp-error-limit` is reached") \
REASON(no_backend, DROP, IN_LBR, \
	"the service has no backend that takes this flow") \
REASON(no_backend_passed, PASS, IN_LBR, \
	"the service has no backend that takes this flow; on-all-down: pass") \
REASON(queued, DROP, IN_LBR, \
	"a request to workers, none of which is free: it waits in the queue") \
REASON(queue_full, DROP, IN_LBR, \
	"a request to workers, none of which is free, and the queue is full, or the request larger than 1500 bytes") \
REASON(request_fragmented, DROP, IN_LBR, \
	"a fragment of a request to workers, which must be one datagram that is whole") \
REASON(queue_lost, DROP, IN_LBR, \
	"a request that waited for a service which has left the file; it was counted as queued, too") \
REASON(released, DROP, IN_LBR, \
	"a message from a server of workers, which is done with a request") \
REASON(fib_blackhole, DROP, IN_LBR, \
	"the route to the backend is a blackhole") \
REASON(fib_unreachable, DROP, IN_LBR, \
	"the route to the backend is unreachable") \
REASON(fib_prohibit, DROP, IN_LBR, \
	"the route to the backend is prohibited") \
REASON(fib_not_forwarded, DROP, IN_LBR, \
	"no route to the backend, or it is this host's own address") \
REASON(fib_forwarding_disabled, DROP, IN_LBR, \
	"forwarding is off on the incoming interface") \
REASON(fib_unsupported, DROP, IN_LBR, \
	"the route to the backend asks for encapsulation") \
REASON(fib_too_big, DROP, IN_LBR, \
	"larger than the path to the backend takes (nat: or a reply, to the client), and no ICMP error may be sent about it") \
REASON(fib_error, DROP, IN_LBR, \
	"the kernel refused the FIB lookup (bpf_fib_lookup)") \
REASON(neighbour_unresolved, PASS, IN_LBR, \
	"next hop has no MAC address yet: passed to the kernel, which resolves it and forwards") \
REASON(neighbour_missing, DROP, IN_LBR, \
	"next hop has no MAC address yet, and by this method the kernel cannot forward") \
REASON(neighbour_asked, TX, IN_LBR, \
	"next hop has no MAC address: this packet became the ARP request or neighbour solicitation for it") \
REASON(neighbour_prompted, PASS, IN_LBR, \
	"next hop has no MAC address: this packet became an echo request from the next hop, so that the kernel resolves it") \
REASON(device_passed, PASS, IN_LBR, \
	"XDP cannot send out of that device (no Ethernet header, or no ndo_xdp_xmit): passed to the kernel, which forwards") \
REASON(device_unfit, DROP, IN_LBR, \
	"XDP cannot send out of that device, and by this method the kernel cannot forward") \
REASON(redirect_refused, DROP, IN_LBR, \
	"redirected to another interface, but the kernel dropped it: the interface is down, or does not take this frame") \
REASON(off_link, DROP, IN_LBR, \
	"l2: the backend is behind a router") \
REASON(no_outer_source, DROP, IN_LBR, \
	"ipip: neither `outer-source` nor the incoming interface has an address of the backend's family") \
REASON(super_packet, PASS, IN_LBR, \
	"larger than the next link takes, and may be fragmented: the kernel forwards it in pieces") \
REASON(no_room, DROP, IN_LBR, \
	"the interface leaves no room for another header") \
REASON(forwarded, TX, IN_LBR, \
	"sent to a backend, by the interface it came in by") \
REASON(redirected, REDIRECT, IN_LBR, \
	"sent to a backend, by another interface") \
REASON(translating, PASS, IN_LBR, \
	"nat: left to lbr_nat, which has not taken it") \
REASON(translated, REDIRECT, IN_LBR, \
	"nat: sent to a backend, from an address and port of `nat-source`") \
REASON(returned, REDIRECT, IN_LBR, \
	"nat: a backend's packet, sent to the client whose flow it is of") \
REASON(no_port, DROP, IN_LBR, \
	"nat: of a new flow, for which `nat-source` has no free port to this backend") \
REASON(no_flow, DROP, IN_LBR, \
	"nat: of a flow that is not known, and the packet begins none") \
REASON(check_reply, REDIRECT, IN_LBR, \
	"the reply to a health check: passed to `lbr run`, in its network namespace") \
REASON(echo_answered, TX, IN_LBR, \
	"an ICMP or ICMPv6 echo request to a VIP, answered") \
REASON(ttl_answered, TX, IN_LBR, \
	"TTL or hop limit would become 0: answered with `time exceeded`") \
REASON(too_big_answered, TX, IN_LBR, \
	"larger than the path to the backend takes (nat: or a reply, to the client): answered with the size that fits") \
REASON(not_listed, PASS, IN_BKD, \
	"not for an address, protocol and port that the file lists") \
REASON(fragment_passed, PASS, IN_BKD, \
	"a fragment, and the first fragment of its packet has not come before it") \
REASON(extension_passed, PASS, IN_BKD, \
	"an IPv6 extension header that hides the ports") \
REASON(martian_passed, PASS, IN_BKD, \
	"for a listed service, from an address that no host can have; left as it is") \
REASON(restore_expired, PASS, IN_BKD, \
	"was removed from the file longer than `grace` ago") \
REASON(restored, PASS, IN_BKD, \
	"the VIP was written back, for this host's server") \
REASON(decapsulated, PASS, IN_BKD, \
	"the outer header was taken off, for this host's server") \
REASON(delivered, PASS, IN_BKD, \
	"came to the VIP itself (l2): nothing to restore") \
REASON(second_chance, TX, IN_BKD, \
	"of a flow that has no socket here: passed on to the next backend that may have it") \
REASON(second_chance_spent, PASS, IN_BKD, \
	"of a flow that has no socket here, and was passed on as often as its TTL allows: restored, and the kernel decides") \
REASON(second_chance_rate, DROP, IN_BKD, \
	"of a flow that has no socket here, but `second-chance-limit` is reached") \
REASON(second_chance_neighbour, DROP, IN_BKD, \
	"of a flow that has no socket here, and the next backend that may have it has no known MAC address on this segment (l2)") \
REASON(second_chance_merged, DROP, IN_BKD, \
	"of a flow that has no socket here, and GRO merged it into a packet that is larger than the MTU (generic mode): it cannot be passed on") \
REASON(foreign_source, PASS, IN_BKD, \
	"inside is a packet for a listed service, but the sender is not in `lb-sources`") \
REASON(congestion_lost, PASS, IN_BKD, \
	"congestion was marked outside, but the inner packet does not support ECN (RFC 6040): the kernel drops it")

enum reason {
#define REASON_NAME(name, action, programs, text) REASON_##name,
	REASONS(REASON_NAME)
#undef REASON_NAME
	REASON_MAX,
	/* Not ways out of the program. */
	REASON_NONE = REASON_MAX, /* go on to the next step */
	REASON_NO_HEADER,	  /* no extension header; see packet.h */
	REASON_UNUSUAL,		  /* packet_parse() must look; see packet.h */
};
/* clang-format on */

/*
 * A table, not a switch: the kernel then verifies what follows once, and not
 * once for each reason.
 */
static const unsigned char reason_actions[] = {
#define REASON_ACTION(name, action, programs, text) XDP_##action,
	REASONS(REASON_ACTION)
#undef REASON_ACTION
};

/* XDP_ABORTED for a number that is no reason. */
static inline __attribute__((always_inline)) int
reason_action(enum reason reason)
{
	return reason < REASON_MAX ? reason_actions[reason] : XDP_ABORTED;
}

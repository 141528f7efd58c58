// SPDX-License-Identifier: GPL-2.0-only
/*
 * keys.c - see keys.h
 *
 * Defaults are text as a user would write it and are read by the same code as
 * the file, so they obey the same limits.
 */
#include "common/config/keys.h"

#include <string.h>

#include "common/config/config.h"
#include "common/config/key_rows.h"
#include "common/config/keys_announce.h"
#include "common/config/keys_workers.h"
#include "common/config/keywords.h"
#include "common/core/abi_done.h"
#include "common/core/abi_services.h"

/* clang-format off */
const struct key keys[] = {
	{LEVEL_FILE, "services",
	 LIST(config, services, service_count, LEVEL_SERVICE),
	 .max = MAX_SERVICES,
	 .help = "What clients connect to."},
	{LEVEL_FILE, "unmatched", KIND_KEYWORD, FIELD(config, unmatched),
	 .keywords = unmatched_keywords, .standard = "local",
	 .help = "What happens to a packet for a VIP but for none of its "
		 "services: `local` passes it to the load balancer's kernel "
		 "if the VIP is an address of that host (SSH), else drops it; "
		 "`drop` always drops it; `pass` passes it, unless that "
		 "kernel would send it back."},
	{LEVEL_FILE, "claim", KIND_KEYWORD, FIELD(config, claim),
	 .keywords = claim_keywords, .standard = "none",
	 .help = "Who answers ARP (IPv6: ND) for the VIPs in a LAN without a "
		 "router that sends them to the load balancer: `arp`: the "
		 "load balancer, on the interfaces of `lbr up`; `none`: only "
		 "a host that has the address."},
	{LEVEL_FILE, "flow-table-size", KIND_NUMBER,
	 FIELD(config, flow_table_size),
	 .min = 1, .max = 16777216, .standard = "1000000",
	 .help = "How many flows are remembered, over all services."},
	{LEVEL_FILE, "handshake-grace", KIND_DURATION,
	 FIELD(config, handshake_grace),
	 .min = 0, .max = 60 * KEY_SECOND, .standard = "3s",
	 .help = "For how long after a change handshakes begun before it "
		 "still go to the backend that they began with."},
	{LEVEL_FILE, "udp-idle", KIND_DURATION, FIELD(config, udp_idle),
	 .min = 1 * KEY_SECOND, .max = 24 * KEY_HOUR, .standard = "60s",
	 .help = "A UDP flow is forgotten after this long without a packet."},
	{LEVEL_FILE, "grace", KIND_DURATION, FIELD(config, restore_grace),
	 .min = 0, .max = 24 * KEY_HOUR, .standard = "10min",
	 .help = "How long it may take to roll out a change: a backend "
		 "restores what was removed from the file for this time plus "
		 "`drain-timeout`."},
	{LEVEL_FILE, "drain-timeout", KIND_DURATION,
	 FIELD(config, drain_timeout),
	 .min = 0, .max = 24 * KEY_HOUR, .standard = "5min",
	 .help = "How long a backend or service that was removed from the "
		 "file keeps its flows; `0s`: it loses them at once."},
	{LEVEL_FILE, "next-hop-age", KIND_DURATION, FIELD(config, next_hop_age),
	 .min = 0, .max = 10 * KEY_SECOND, .standard = "100ms",
	 .help = "How long an answer of the kernel's FIB is cached; `0s`: it "
		 "is asked for each packet."},
	{LEVEL_FILE, "insert-limit", KIND_NUMBER, FIELD(config, insert_limit),
	 .min = 1, .max = 10000000, .standard = "50000",
	 .help = "How many flows each CPU may add to the flow table in a second."},
	{LEVEL_FILE, "icmp-error-limit", KIND_NUMBER, FIELD(config, icmp_error_limit),
	 .min = 0, .max = 1000000, .standard = "1000", .was = "answer-limit",
	 .help = "How many ICMP errors about expired TTLs each CPU may send "
		 "in a second. For packets that are too big, each client "
		 "(IPv6: each /64) has a sixteenth of it. `0`: none."},
	{LEVEL_FILE, "second-chance-limit", KIND_NUMBER,
	 FIELD(config, second_chance_limit),
	 .min = 1, .max = 10000000, .standard = "200000",
	 .help = "How many packets each CPU of a backend may pass on to other "
		 "backends in a second, while backends are in transition."},
	{LEVEL_FILE, "advmss", KIND_NUMBER, FIELD(config, advmss),
	 .min = 88, .max = 65495, .keywords = mtu_keywords, .standard = "route",
	 .help = "The largest TCP segment that a backend lets clients send: "
		 "`bkd up` sets it on this host's routes, and `bkd down` "
		 "removes it."},
	{LEVEL_FILE, "outer-source",
	 PREFIXES(config, outer_sources, outer_source_count, 2),
	 .standard = "none",
	 .help = "The source of packets by @encapsulating, one of each family; with a "
		 "prefix, each flow has an address of it. Default: the load "
		 "balancer's own address on the incoming interface."},
	{LEVEL_FILE, "nat-source",
	 PREFIXES(config, nat_sources, nat_source_count, 64),
	 .standard = "none",
	 .help = "The addresses from which packets by @returning go to "
		 "backends. A load balancer uses those that are its own: give "
		 "each one of its own, or one that moves with the VIP. "
		 "Required if a service has such a method."},
	{LEVEL_FILE, "nat-first-port", KIND_NUMBER,
	 FIELD(config, nat_first_port),
	 .min = 1024, .max = 61440, .standard = "10240",
	 .help = "Ports of `nat-source`, from this one to 65535, are not this "
		 "host's own any more: `lbr up` reserves them."},
	{LEVEL_FILE, "nat-table-size", KIND_NUMBER,
	 FIELD(config, nat_table_size),
	 .min = 65536, .max = 16777216, .standard = "131072",
	 .help = "For how many flows by @returning there is room; rounded up "
		 "to a power of two."},
	{LEVEL_FILE, "lb-sources",
	 PREFIXES(config, lb_sources, lb_source_count, MAX_SOURCES),
	 .standard = "none",
	 .help = "From whom a backend accepts packets by @encapsulating: the "
		 "sources that load balancers use. Required if a service has "
		 "such a method."},
	{LEVEL_FILE, "release-to",
	 PREFIXES(config, release_to, release_to_count, MAX_DONE_TO),
	 .standard = "none",
	 .help = "For `workers` whose servers do not say when they are done: "
		 "the load balancers' addresses, to which `bkd up` has each "
		 "backend's host send the message to `release` when a reply "
		 "leaves."},
	{LEVEL_FILE, "announce", KIND_RECORD, FIELD(config, announce),
	 .entry = LEVEL_ANNOUNCE, .standard = "none",
	 .help = "How `lbr run` tells routers, keepalived or a program which "
		 "VIPs to send here; its keys are below."},

	{LEVEL_FILE, "heartbeat-to",
	 PREFIXES(config, heartbeat_to, heartbeat_to_count, 16),
	 .groups = true,
	 .standard = HEARTBEAT_GROUP_IPV4 ", " HEARTBEAT_GROUP_IPV6,
	 .help = "Where `bkd run` sends heartbeats: multicast groups, which "
		 "`lbr run` joins, or each load balancer's own address where "
		 "routers are between."},
	{LEVEL_FILE, "heartbeat-port", KIND_PORT,
	 FIELD(config, heartbeat_port),
	 .min = 1, .max = 65535, .standard = "4242",
	 .help = "The udp port that heartbeats are sent to."},
	{LEVEL_FILE, "heartbeat-interval", KIND_DURATION,
	 FIELD(config, heartbeat_interval),
	 .min = 100, .max = 60 * KEY_SECOND, .standard = "5s",
	 .help = "From one heartbeat to the next."},
	{LEVEL_FILE, "heartbeat-network",
	 PREFIXES(config, heartbeat_networks, heartbeat_network_count, 16),
	 .standard = "none",
	 .help = "The interface with an address in one of these is where "
		 "multicast heartbeats leave and are listened for. Default: "
		 "the interface that the route to the group names; load "
		 "balancers listen on those of `lbr up`, too."},
	{LEVEL_FILE, "heartbeat-clock", KIND_DURATION,
	 FIELD(config, heartbeat_clock),
	 .min = 1 * KEY_SECOND, .max = 1 * KEY_HOUR, .standard = "30s",
	 .help = "How far a backend's clock may differ from the load "
		 "balancer's. What a heartbeat says beyond that is not used."},

	{LEVEL_SERVICE, "vip", KIND_ADDRESS, FIELD(config_service, vip),
	 .help = "The virtual IP address."},
	{LEVEL_SERVICE, "port", KIND_PORT, FIELD(config_service, port),
	 .min = 1, .max = 65535, .keywords = port_keywords,
	 .help = "The port; `any` takes packets for all ports without a "
		 "service of their own, of this VIP and protocol."},
	{LEVEL_SERVICE, "protocol", KIND_KEYWORD, FIELD(config_service, protocol),
	 .keywords = protocol_keywords, .standard = "tcp",
	 .help = "The protocol above IP."},
	{LEVEL_SERVICE, "scheduler", KIND_KEYWORD,
	 FIELD(config_service, scheduler),
	 .keywords = scheduler_keywords, .standard = "maglev",
	 .help = "How the backend of a new flow is selected: `maglev` by a "
		 "hash of the flow, the same on every load balancer; `random` "
		 "at random; `round-robin` in turn, by weight; `source-hash` "
		 "by a hash of the client's address only; `workers` by the "
		 "number of free threads, and while there is none requests "
		 "wait in a queue (only for udp, one datagram a request)."},
	KEYS_WORKERS,
	{LEVEL_SERVICE, "forward", KIND_KEYWORD, FIELD(config_service, method.forward),
	 .keywords = forward_keywords, .standard = "rewrite",
	 .help = "How a packet reaches the backend."},
	{LEVEL_SERVICE, "dscp", KIND_NUMBER, FIELD(config_service, method.dscp),
	 .min = 1, .max = 63, .keywords = none_keywords, .standard = "none",
	 .help = "The mark of this VIP; required with @marking, and only "
		 "allowed there."},
	{LEVEL_SERVICE, "checksum", KIND_KEYWORD,
	 FIELD(config_service, method.checksum),
	 .keywords = checksum_keywords, .standard = "keep",
	 .help = "For @overwriting, the TCP or UDP checksum: `keep` "
		 "leaves that of the VIP; `update` makes it right on the "
		 "wire, for a restorer other than xdp_bkd."},
	{LEVEL_SERVICE, "table-size", KIND_PRIME,
	 FIELD(config_service, table_size),
	 .min = 251, .max = 131071, .standard = "65537",
	 .help = "Slots in the service's table. Fewer than 100 for each "
		 "backend make shares uneven."},
	{LEVEL_SERVICE, "fragments", KIND_KEYWORD,
	 FIELD(config_service, by_address),
	 .keywords = fragments_keywords, .standard = "by-id",
	 .help = "`by-id`: a fragment goes where the first fragment of its "
		 "packet went, which must have come before; `by-address`: "
		 "everything that a client sends goes to one backend, with "
		 "fragments in any order (only for udp, and only for the "
		 "VIP's single udp service)."},
	{LEVEL_SERVICE, "check", KIND_RECORD, FIELD(config_service, check),
	 .entry = LEVEL_CHECK, .standard = "none",
	 .help = "How `lbr run` checks whether a backend is up; its keys are below."},
	{LEVEL_SERVICE, "on-down", KIND_KEYWORD, FIELD(config_service, on_down),
	 .keywords = down_keywords, .standard = "keep",
	 .help = "What happens to a backend's flows when its application is "
		 "down (something bad came back from it): `keep` leaves them "
		 "there; `move` selects them anew. When the path to it is "
		 "down (nothing came back), they always move."},
	{LEVEL_SERVICE, "on-all-down", KIND_KEYWORD,
	 FIELD(config_service, on_all_down),
	 .keywords = all_down_keywords, .renamed = {"last", "all"},
	 .standard = "all",
	 .help = "Where new flows go when every backend is down: `all`: to "
		 "those whose path is good or, if there are none, to all; "
		 "`drop`: nowhere; `pass` (also if all drain): to the load "
		 "balancer's kernel."},
	{LEVEL_SERVICE, "minimum-up", KIND_SHARE,
	 FIELD(config_service, minimum_up),
	 .min = 1, .max = MAX_BACKENDS, .standard = "1",
	 .help = "How many of its backends must be up for the service to be "
		 "fit; a percentage is of those that do not drain, rounded up. "
		 "A VIP is announced well while all its services are fit."},
	{LEVEL_SERVICE, "flows", KIND_KEYWORD, FIELD(config_service, flows),
	 .keywords = flows_keywords, .standard = "remember",
	 .help = "`remember`: the load balancer remembers the backend of each "
		 "flow; `second-chance`: it goes by the table, and the "
		 "backends, all with xdp_bkd, find flows at each other while "
		 "the pool changes in steps (`state`). Only for tcp (by "
		 "@encapsulating, to backends of one family), with one of "
		 "these schedulers:" SCHEDULERS(SCHEDULER_LISTED) "."},
	{LEVEL_SERVICE, "second-chance", KIND_KEYWORD,
	 FIELD(config_service, chance),
	 .keywords = chance_keywords, .standard = "transition",
	 .help = "When backends look for flows at each other: `transition`: "
		 "while the pool changes; `always`: also, at any time, at the "
		 "backend that gets a slot's new flows if a health check takes "
		 "its own one out. Then another load balancer may take over "
		 "while it does."},
	{LEVEL_SERVICE, "was", KIND_RECORD, FIELD(config_service, was),
	 .entry = LEVEL_WAS, .standard = "none",
	 .help = "Its table before the last change of `table-size` or "
		 "`scheduler`, as long as flows from then are left: backends "
		 "look for them at each other. Its keys are below."},
	{LEVEL_SERVICE, "backends",
	 LIST(config_service, backends, backend_count, LEVEL_BACKEND),
	 .max = MAX_BACKENDS,
	 .help = "The servers of the service."},

	{LEVEL_BACKEND, "address", KIND_ADDRESS,
	 FIELD(config_backend, address),
	 .help = "The backend's address; not a VIP, and of the VIP's family, "
		 "except with @crossing."},
	{LEVEL_BACKEND, "port", KIND_PORT, FIELD(config_backend, port),
	 .min = 1, .max = 65535, .keywords = service_keywords,
	 .standard = "service",
	 .help = "For @returning: the port that its server listens on, if it "
		 "is not the service's. Open flows stay at the port that they "
		 "began with."},
	{LEVEL_BACKEND, "weight", KIND_NUMBER, FIELD(config_backend, weight),
	 .min = 1, .max = 1000, .standard = "1",
	 .help = "Its share of new flows, relative to the other backends."},
	{LEVEL_BACKEND, "weight-before", KIND_NUMBER,
	 FIELD(config_backend, weight_before),
	 .min = 1, .max = 1000, .keywords = weight_keywords, .standard = "weight",
	 .help = "Its weight before the last change, as long as flows from "
		 "then are left: backends look for them at each other."},
	{LEVEL_BACKEND, "state", KIND_KEYWORD, FIELD(config_backend, state),
	 .keywords = state_keywords, .standard = "active", .instead = "drain",
	 .help = "`filling`: it is new and gets new flows, but other backends "
		 "may still have older flows of its slots; `draining`: it "
		 "keeps its flows and gets no new ones. In both states, "
		 "backends look for flows at each other."},
	{LEVEL_BACKEND, "mtu", KIND_NUMBER, FIELD(config_backend, mtu),
	 .min = 576, .max = 65535, .keywords = mtu_keywords, .standard = "route",
	 .help = "The largest packet that the path to the backend takes, if "
		 "that is less than the route says. Larger packets are "
		 "answered with an ICMP error."},
	{LEVEL_BACKEND, "restore", KIND_KEYWORD, FIELD(config_backend, restore),
	 .keywords = restore_keywords, .standard = "lo",
	 .help = "Where its server listens: `lo`: on the VIP, which `bkd up` "
		 "puts on lo; `tc`: on the backend's own address, and the VIP "
		 "is on no interface (not with @returning)."},
	{LEVEL_BACKEND, "drain", KIND_KEYWORD, FIELD(config_backend, drain),
	 .keywords = bool_keywords, .standard = "false",
	 .help = "`true`: the same as `state: draining`."},

	{LEVEL_CHECK, "type", KIND_KEYWORD, FIELD(config_check, type),
	 .keywords = check_keywords, .standard = "tcp",
	 .help = "`tcp`: it accepts a connection; `http`, `https` (any "
		 "certificate): it answers a GET; `udp`: it answers a "
		 "datagram. All go to the VIP, through the backend. "
		 "`heartbeat`: the backend checks itself, by a tcp "
		 "connection (udp: is the port open?), and reports it; the "
		 "load balancer sends nothing. Without `type`, a check with a key of http is `http`, one with a "
		 "key of udp is `udp`."},
	{LEVEL_CHECK, "interval", KIND_DURATION,
	 FIELD(config_check, interval),
	 .min = 100, .max = 1 * KEY_HOUR, .standard = "2s",
	 .help = "From the begin of one check to the begin of the next."},
	{LEVEL_CHECK, "timeout", KIND_DURATION, FIELD(config_check, timeout),
	 .min = 50, .max = 1 * KEY_HOUR, .standard = "1s",
	 .help = "How long to wait for an answer; at most half of `interval`."},
	{LEVEL_CHECK, "rise", KIND_NUMBER, FIELD(config_check, rise),
	 .min = 1, .max = 1000, .standard = "2",
	 .help = "Consecutive good checks before a backend that is down is up."},
	{LEVEL_CHECK, "fall", KIND_NUMBER, FIELD(config_check, fall),
	 .min = 1, .max = 1000, .standard = "3",
	 .help = "Consecutive bad checks before a backend is down. That is at "
		 "most `interval` x `fall` after it died (with `fall: 1` plus "
		 "`timeout`)."},
	{LEVEL_CHECK, "port", KIND_PORT, FIELD(config_check, port),
	 .min = 1, .max = 65535, .keywords = service_keywords,
	 .standard = "service",
	 .help = "The port of the VIP to check; required for a service of any "
		 "port, and only allowed there."},
	{LEVEL_CHECK, "heartbeats", KIND_KEYWORD,
	 FIELD(config_check, heartbeats),
	 .keywords = heartbeats_keywords, .standard = "none",
	 .types = TYPES_TCP | TYPE(CHECK_UDP),
	 .help = "Whether `bkd run` makes this check, too, on the backend "
		 "itself, and reports it by heartbeats: `beside`: the load "
		 "balancer makes it as well; `alone`: it does not. A bad "
		 "report, and no heartbeat for `heartbeat-interval` x `fall`, "
		 "mean that the application is down. Needs a file of keys."},
	{LEVEL_CHECK, "application-port", KIND_PORT,
	 FIELD(config_check, application_port),
	 .min = 1, .max = 65535, .keywords = none_keywords, .standard = "none",
	 .types = TYPES_TCP,
	 .help = "For tcp, http and https: the port at the backend's own "
		 "address where the application is checked, apart from the "
		 "path; the VIP then only has to accept a connection. With "
		 "@by-address, a port of no service."},
	{LEVEL_CHECK, "path", KIND_TEXT, FIELD(config_check, path),
	 .min = 1, .standard = "/",
	 .types = TYPES_HTTP,
	 .help = "For http and https: the path of the request."},
	{LEVEL_CHECK, "host", KIND_TEXT, FIELD(config_check, host),
	 .standard = "",
	 .types = TYPES_HTTP,
	 .help = "For http and https: the name in the request and in TLS; "
		 "empty: the VIP."},
	{LEVEL_CHECK, "status", KIND_NUMBER, FIELD(config_check, status),
	 .min = 100, .max = 599, .keywords = status_keywords, .standard = "ok",
	 .types = TYPES_HTTP,
	 .help = "For http and https: the good status; `ok`: any 2xx or 3xx."},
	{LEVEL_CHECK, "body", KIND_TEXT, FIELD(config_check, body),
	 .standard = "",
	 .types = TYPES_HTTP | TYPE(CHECK_UDP),
	 .help = "For http, https and udp: what the answer must contain; for "
		 "http within its first 64 KiB."},
	{LEVEL_CHECK, "send", KIND_TEXT, FIELD(config_check, send),
	 .standard = "",
	 .types = TYPE(CHECK_UDP),
	 .help = "For udp: what is sent."},
	{LEVEL_CHECK, "no-answer", KIND_KEYWORD, FIELD(config_check, no_answer),
	 .keywords = no_answer_keywords, .standard = "down", .was = "silence",
	 .types = TYPE(CHECK_UDP),
	 .help = "For udp: the state of a backend that does not answer. `up` is "
		 "for servers that never do: they are then down only when "
		 "they refuse a datagram, or when none can be sent. A machine "
		 "that is off does not answer either."},

	{LEVEL_WAS, "table-size", KIND_PRIME, FIELD(config_was, table_size),
	 .min = 251, .max = 131071, .keywords = service_keywords,
	 .standard = "service",
	 .help = "The `table-size` before; `service`: that of today."},
	{LEVEL_WAS, "scheduler", KIND_KEYWORD, FIELD(config_was, scheduler),
	 .keywords = was_keywords, .standard = "service",
	 .help = "The scheduler before; `service`: that of today."},

	KEYS_ANNOUNCE
};
/* clang-format on */
const size_t key_count = sizeof(keys) / sizeof(keys[0]);
_Static_assert(sizeof(keys) / sizeof(keys[0]) <= MAX_KEYS, "MAX_KEYS");

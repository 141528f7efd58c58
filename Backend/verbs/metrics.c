// SPDX-License-Identifier: GPL-2.0-only
/*
 * metrics.c - which parts of `bkd run`'s snapshot are metrics
 */
#include "Backend/verbs/verbs.h"

/* clang-format off */
const struct metric bkd_metrics[] = {
	{"bkd_up", "gauge", "Whether xdp_bkd is loaded and attached.",
	 "", "up", NULL, {NULL}, {NULL}},
	{"bkd_build_info", "gauge", "Which build bkd run is.",
	 "", NULL, NULL, {"version", "layout"}, {NULL}},
	{"bkd_run_start_time_seconds", "gauge", "When bkd run began, in Unix time.",
	 "", "started", NULL, {NULL}, {NULL}},
	{"bkd_generation", "gauge", "Number of the running configuration.",
	 "", "generation", NULL, {NULL}, {NULL}},
	{"bkd_file_info", "gauge",
	 "The digest of what the running configuration's file means, as xdp_lbr's.",
	 "", NULL, NULL, {"digest"}, {NULL}},
	{"bkd_attached", "gauge", "Where xdp_bkd is attached, and how.",
	 "interfaces", NULL, NULL, {"interface", "mode"}, {NULL}},
	{"bkd_attached_interfaces", "gauge",
	 "Interfaces that xdp_bkd is attached to.", "", "attached-interfaces", NULL, {NULL}, {NULL}},
	{"bkd_vip_on_lo", "gauge",
	 "Whether the VIP of what is restored is on lo, where servers can answer from it.",
	 "vips", "on-lo", NULL, {"vip"}, {NULL}},
	{"bkd_service_restored", "gauge",
	 "Whether the file lists the service, at this address; 0: it did, and flows may be left.",
	 "restores", "permanent", NULL, {"vip", "port", "protocol", "address", "forward"}, {NULL}},
	{"bkd_service_packets_total", "counter",
	 "Packets of the service, at this address, handed to this host's servers.",
	 "restores", "packets", NULL, {"vip", "port", "protocol", "address", "forward"}, {NULL}},
	{"bkd_service_moved_flows", "gauge",
	 "Flows here that only second chance finds; 0 on all backends: the transition can end.",
	 "restores", "moved-flows", NULL, {"vip", "port", "protocol", "address", "forward"}, {NULL}},
	{"bkd_packets_total", "counter", "Packets that left xdp_bkd, by reason.",
	 "reasons", "packets", NULL, {"reason"}, {NULL}},
	{0},
};
/* clang-format on */

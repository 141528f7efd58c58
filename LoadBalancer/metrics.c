// SPDX-License-Identifier: GPL-2.0-only
/*
 * metrics.c - what of `lbr run`'s snapshot is a metric
 */
#include "LoadBalancer/lbr.h"

/* clang-format off */

/* The labels of a row, and that it is of all of its section. */
#define NONE	{NULL}, {NULL}
#define SERVICE {"service", "protocol"}, {NULL}
#define BACKEND {"service", "protocol", "backend"}, {NULL}
#define REASON	{"reason", "action"}, {NULL}

const struct metric lbr_metrics[] = {
	{"lbr_up", "gauge", "Whether xdp_lbr is loaded and attached.",
	 "", "up", NULL, NONE},
	{"lbr_build_info", "gauge", "Which build lbr run is.",
	 "", NULL, NULL, {"version", "layout"}, {NULL}},
	{"lbr_run_start_time_seconds", "gauge", "When lbr run began, in Unix time.",
	 "", "started", NULL, NONE},
	{"lbr_generation", "gauge", "Number of the running configuration.",
	 "", "generation", NULL, NONE},
	{"lbr_file_info", "gauge",
	 "The digest of what the running configuration's file means, as xdp_bkd's.",
	 "", NULL, NULL, {"digest"}, {NULL}},
	{"lbr_attached", "gauge", "Where xdp_lbr is attached, and how.",
	 "interfaces", NULL, NULL, {"interface", "mode"}, {NULL}},
	{"lbr_attached_interfaces", "gauge",
	 "Interfaces that xdp_lbr is attached to.", "", "attached", NULL, NONE},
	{"lbr_flow_table_entries", "gauge", "Flows that are remembered.",
	 "", "flow-table-entries", NULL, NONE},
	{"lbr_flow_table_size", "gauge", "Flows that can be remembered.",
	 "", "flow-table-size", NULL, NONE},
	{"lbr_flows_not_remembered_total", "counter",
	 "Flows that insert-limit kept from being remembered.",
	 "", "flows-not-remembered", NULL, NONE},
	{"lbr_service_packets_total", "counter", "Packets sent to the service's backends.",
	 "services", "packets", NULL, SERVICE},
	{"lbr_service_bytes_total", "counter", "Bytes of these packets' frames.",
	 "services", "bytes", NULL, SERVICE},
	{"lbr_service_flows_total", "counter", "Flows that began.",
	 "services", "flows", NULL, SERVICE},
	{"lbr_backend_packets_total", "counter", "Packets sent to the backend.",
	 "backends", "packets", NULL, BACKEND},
	{"lbr_backend_bytes_total", "counter", "Bytes of these packets' frames.",
	 "backends", "bytes", NULL, BACKEND},
	{"lbr_backend_flows_total", "counter", "Flows that began.",
	 "backends", "flows", NULL, BACKEND},
	{"lbr_backend_flows_in_use", "gauge", "Flows that had a packet a while ago.",
	 "backends", "in-use", NULL, BACKEND},
	{"lbr_backend_weight", "gauge", "Its share of new flows, relative to others.",
	 "backends", "weight", NULL, BACKEND},
	{"lbr_backend_up", "gauge", "Whether it gets new flows.",
	 "backends", "state", "active", BACKEND},
	{"lbr_backend_draining", "gauge", "Whether it keeps its flows and gets no new ones.",
	 "backends", "state", "draining", BACKEND},
	{"lbr_check_up", "gauge", "Whether health checks found the backend up.",
	 "checks", "up", NULL, BACKEND},
	{"lbr_check_path_good", "gauge", "Whether the last check was answered from the VIP.",
	 "checks", "path", "good", BACKEND},
	{"lbr_check_application_bad", "gauge", "Whether the last check's answer was bad.",
	 "checks", "application", "bad", BACKEND},
	{"lbr_check_duration_seconds", "gauge", "What the last check took.",
	 "checks", "seconds", NULL, BACKEND},
	{"lbr_check_good_total", "counter", "Checks that were good.",
	 "checks", "good", NULL, BACKEND},
	{"lbr_check_bad_total", "counter", "Checks that were bad.",
	 "checks", "bad", NULL, BACKEND},
	{"lbr_check_unmade_total", "counter",
	 "Checks that could not begin, for want of something on this host.",
	 "checks", "unmade", NULL, BACKEND},
	{"lbr_packets_total", "counter", "Packets that left xdp_lbr, by reason.",
	 "reasons", "packets", NULL, REASON},
	{"lbr_drops_total", "counter", "Packets dropped, by reason.",
	 "reasons", "packets", NULL, {"reason"}, {"action", "DROP"}},
	{0},
};
/* clang-format on */

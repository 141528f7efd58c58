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
	{"lbr_flow_table_size", "gauge", 
	 "Flows that it is made for, as flow-table-size says; it has twice as many places.",
	 "", "flow-table-size", NULL, NONE},
	{"lbr_flows_not_remembered_total", "counter",
	 "Flows that insert-limit kept from being remembered.",
	 "", "flows-not-remembered", NULL, NONE},
	{"lbr_service_up", "gauge",
	 "0: all its backends were found down, or all drain. 1 also where it has left the file.",
	 "services", "state", "up|degraded|leaving", SERVICE},
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
	{"lbr_backend_flows_in_use", "gauge",
	 "Flows of it that the flow table remembers, and that have not ended or expired.",
	 "backends", "in-use", NULL, BACKEND},
	{"lbr_backend_weight", "gauge", "Its share of new flows, relative to others.",
	 "backends", "weight", NULL, BACKEND},
	{"lbr_backend_up", "gauge",
	 "0: health checks found it down. 1 also where it drains or has left the file.",
	 "backends", "state", "up|draining|leaving", BACKEND},
	{"lbr_backend_new_flows", "gauge", "Whether new flows go there.",
	 "backends", "gets", "new", BACKEND},
	{"lbr_backend_draining", "gauge",
	 "Whether it is to get no new flows: it drains, or has left the file.",
	 "backends", "state", "draining|leaving", BACKEND},
	{"lbr_check_up", "gauge", "Whether health checks found the backend up.",
	 "checks", "up", NULL, BACKEND},
	{"lbr_check_path_bad", "gauge",
	 "Whether the last check could not be sent there, or nothing came back from the VIP.",
	 "checks", "path", "bad", BACKEND},
	{"lbr_check_application_bad", "gauge",
	 "Whether what came back from the VIP at the last check was bad.",
	 "checks", "application", "bad", BACKEND},
	{"lbr_check_duration_seconds", "gauge", "What the last check took.",
	 "checks", "seconds", NULL, BACKEND},
	{"lbr_check_good_total", "counter", "Checks that were good.",
	 "checks", "good", NULL, BACKEND},
	{"lbr_check_bad_total", "counter", "Checks that were bad.",
	 "checks", "bad", NULL, BACKEND},
	{"lbr_check_unmade_total", "counter",
	 "Checks that say nothing, for lack of something on this host.",
	 "checks", "unmade", NULL, BACKEND},
	{"lbr_packets_total", "counter", "Packets that left xdp_lbr, by reason.",
	 "reasons", "packets", NULL, REASON},
	{0},
};
/* clang-format on */

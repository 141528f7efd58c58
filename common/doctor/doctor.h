/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * doctor.h - find what is wrong on this host, and the command that mends it
 *
 * A role's table of checks, each after those it depends on: running the printed
 * commands from the top down mends everything. A check looks and reports; it
 * changes nothing. It reports what it found, not what might be: what cannot be
 * seen from this host is `unknown`, with the command for the host where it can.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>

#include "common/core/reason.h"
#include "common/kernel/kernel.h"
#include "common/net/netlink.h"

enum health {
	HEALTH_OK,
	HEALTH_WARN, /* works now, but may stop to work */
	HEALTH_FAIL,
	HEALTH_UNKNOWN,
	HEALTHS,
};

struct doctor {
	struct kernel kernel; /* its attachments are read */
	bool is_up;
	struct fault attached; /* why they could not be */
	struct config config;
	bool has_file;
	char refused[512]; /* why not */
	const char *path;  /* of the file */
	struct link *links;
	int link_count;
	/* Where the program is attached, or would be. */
	const char *names[MAX_INTERFACES + 1];

	/* The counters at the beginning; see drops.h. */
	__u64 reasons[REASON_MAX];
	long long no_routes[2]; /* of IPv4, of IPv6 */
	long long began;	/* nanoseconds, of CLOCK_MONOTONIC */

	const struct examination *examination; /* the check that runs */
	json_t *rows;			       /* everything found so far */
	int said;			       /* lines of this check */
	int left_out;			       /* of these lines: too many */
	int counts[HEALTHS];
};

/*
 * One line of output; `report` begins it, `mend` adds the command, ready to
 * run.
 */
void report(struct doctor *doctor, enum health health, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void mend(struct doctor *doctor, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* NULL if there is none of this name. */
const struct link *doctor_link(const struct doctor *doctor, const char *name);
/* Does the file have a VIP of this family? */
bool doctor_serves(const struct doctor *doctor, bool ipv6);
/* A sysctl as a number; -1 if it does not exist. */
int sysctl_number(const char *format, ...)
	__attribute__((format(printf, 1, 2)));

/* Checks that both roles have. */
void look_kernel(struct doctor *doctor);
void look_file(struct doctor *doctor);
void look_others(struct doctor *doctor);
void look_lock(struct doctor *doctor);
void look_program(struct doctor *doctor);
void look_mode(struct doctor *doctor);
void look_link(struct doctor *doctor);
void look_veth(struct doctor *doctor);
void look_merging(struct doctor *doctor);
void look_vlans(struct doctor *doctor);
void look_macs(struct doctor *doctor);
/* Reports if the running configuration is not the file's. */
bool look_digest(struct doctor *doctor);
void look_trace(struct doctor *doctor);
void look_settings(struct doctor *doctor);
void look_rp_filter(struct doctor *doctor);
void look_bridge(struct doctor *doctor);

/* Each role's own, of the same name. */
void look_drops(struct doctor *doctor);

/* The rows that both tables have. */
/* clang-format off */
#define EXAMINE_KERNEL { "kernel", \
	"what this kernel can do of what the program uses", NEEDS_NOTHING, \
	look_kernel }
#define EXAMINE_FILE { "file", \
	"the file exists and is valid", NEEDS_NOTHING, look_file }
#define EXAMINE_OTHERS { "others", \
	"no other XDP program is where ours belongs", NEEDS_NOTHING, \
	look_others }
#define EXAMINE_PROGRAM { "program", \
	"our program is attached", NEEDS_NOTHING, look_program }
#define EXAMINE_LOCK { "lock", \
	"no process keeps others from changing the running state", NEEDS_UP, look_lock }
#define EXAMINE_MODE { "mode", \
	"native or generic, and why", NEEDS_UP, look_mode }
#define EXAMINE_LINK { "link", \
	"the interface is up and has a carrier", NEEDS_UP, look_link }
#define EXAMINE_VETH { "veth", \
	"in native mode on veth, the other end has an XDP program and " \
	"completes no checksums", NEEDS_UP, look_veth }
#define EXAMINE_MERGING { "merging", \
	"the device does not merge packets before XDP sees them (LRO)", \
	NEEDS_UP, look_merging }
#define EXAMINE_VLANS { "vlans", \
	"the program sees the tags of VLAN devices above the interface", \
	NEEDS_UP, look_vlans }
#define EXAMINE_MACS { "macs", \
	"the program takes frames for the MAC addresses that the interface has", \
	NEEDS_UP, look_macs }
#define EXAMINE_SETTINGS { "settings", \
	"nobody changes back what was set on this host", NEEDS_UP, look_settings }
/* Those that both tools begin with. */
#define EXAMINATIONS_FIRST \
	EXAMINE_KERNEL, EXAMINE_FILE, EXAMINE_OTHERS, EXAMINE_PROGRAM, EXAMINE_LOCK, \
	EXAMINE_MODE, EXAMINE_LINK, EXAMINE_VETH, EXAMINE_MERGING, EXAMINE_VLANS, \
	EXAMINE_MACS, EXAMINE_SETTINGS
#define EXAMINE_TRACE { "trace", \
	"not every packet is traced", NEEDS_UP, look_trace }
#define EXAMINE_RP_FILTER { "rp-filter", \
	"the kernel does not require a packet to come in by the way back to its " \
	"sender", NEEDS_UP, look_rp_filter }
#define EXAMINE_BRIDGE { "bridge", \
	"a bridge here does not hand its frames to iptables", NEEDS_NOTHING, \
	look_bridge }
/* clang-format on */

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * doctor.h - what is wrong here, and the command that mends it
 *
 * A role's table of checks, in the order of what depends on what: who runs the
 * commands from the top down has mended everything. A check looks and says;
 * it changes nothing. What it says is what was found, not what might be: what
 * cannot be seen from this host is `unknown`, with the command for the host
 * where it can.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>

#include "common/core/reason.h"
#include "common/kernel/kernel.h"
#include "common/net/netlink.h"

enum health {
	HEALTH_OK,
	HEALTH_WARN, /* works, and will not always */
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
	/* What the program is attached to; or would be. */
	const char *names[MAX_INTERFACES + 1];

	/* The counters when it began; see drops.h. */
	__u64 reasons[REASON_MAX];
	long long no_routes[2]; /* of IPv4, of IPv6 */
	long long began;	/* nanoseconds, of CLOCK_MONOTONIC */

	const struct exam *exam; /* the one that looks */
	json_t *rows;		 /* what was found so far */
	int said;		 /* by this check */
	int left_out;		 /* of what it said: it was too much */
	int counts[HEALTHS];
};

/* One line; `found` begins it, `mend` adds the command, to be run as it is. */
void found(struct doctor *doctor, enum health health, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void mend(struct doctor *doctor, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* NULL where there is none of this name. */
const struct link *doctor_link(const struct doctor *doctor, const char *name);
/* Does the file name a VIP of this family? */
bool doctor_serves(const struct doctor *doctor, bool ipv6);
/* A sysctl as a number; -1: there is no such. */
int sysctl_number(const char *format, ...)
	__attribute__((format(printf, 1, 2)));

/* What both roles look at. */
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
/* Says it where the running configuration is not the file's. */
bool look_digest(struct doctor *doctor);
void look_trace(struct doctor *doctor);
void look_settings(struct doctor *doctor);
void look_rp_filter(struct doctor *doctor);
void look_bridge(struct doctor *doctor);

/* The rows that both tables share. */
/* Each role's own, of the same name. */
void look_drops(struct doctor *doctor);

/* clang-format off */
#define EXAM_KERNEL { "kernel", \
	"what this kernel can do of what the program uses", NEEDS_NOTHING, \
	look_kernel }
#define EXAM_FILE { "file", \
	"the file is there and valid", NEEDS_NOTHING, look_file }
#define EXAM_OTHERS { "others", \
	"no other XDP program is where ours is to be", NEEDS_NOTHING, \
	look_others }
#define EXAM_PROGRAM { "program", \
	"our program is attached", NEEDS_NOTHING, look_program }
#define EXAM_LOCK { "lock", \
	"no process keeps others from changing what runs", NEEDS_UP, look_lock }
#define EXAM_MODE { "mode", \
	"native or generic, and why", NEEDS_UP, look_mode }
#define EXAM_LINK { "link", \
	"the interface is up and has a carrier", NEEDS_UP, look_link }
#define EXAM_VETH { "veth", \
	"in native mode on veth, the other end has an XDP program and " \
	"completes no checksums", NEEDS_UP, look_veth }
#define EXAM_MERGING { "merging", \
	"the device does not merge packets before XDP sees them (LRO)", \
	NEEDS_UP, look_merging }
#define EXAM_VLANS { "vlans", \
	"the program sees the tags of VLAN devices above the interface", \
	NEEDS_UP, look_vlans }
#define EXAM_MACS { "macs", \
	"the program takes frames for the MAC addresses that the interface has", \
	NEEDS_UP, look_macs }
#define EXAM_SETTINGS { "settings", \
	"nobody sets back what was set on this host", NEEDS_UP, look_settings }
#define EXAM_TRACE { "trace", \
	"not every packet is traced", NEEDS_UP, look_trace }
#define EXAM_RP_FILTER { "rp-filter", \
	"the kernel does not ask a packet to come by the way back to its " \
	"sender", NEEDS_UP, look_rp_filter }
#define EXAM_BRIDGE { "bridge", \
	"a bridge here does not hand its frames to iptables", NEEDS_NOTHING, \
	look_bridge }
/* clang-format on */

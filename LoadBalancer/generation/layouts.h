/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * layouts.h - the layouts of earlier releases whose flows `up` takes over
 *
 * An `up` over the pins of an earlier layout (common/kernel/takeover.h) reads
 * what that release knew, as today's structs: its generation and its flow
 * table. The new generation then follows the old one as any other does: ids
 * stay, what was removed drains on, and flows are copied by flow_table.c.
 *
 * Each layout is a row here and a file, layout_NAME.c, with the structs as they
 * were. If you change a layout, copy the structs of the release before into
 * such a file. What has not changed since may be used from today's headers, as
 * long as the sizes are asserted; `up` compares them with those of the maps.
 */
#pragma once

#include "LoadBalancer/generation/flow_table.h"
#include "LoadBalancer/generation/read.h"

struct layout {
	const char *name; /* its L3DSR_LAYOUT */

	/*
	 * A value of `generations`; `previous`, tables and VIPs do not matter.
	 */
	size_t generation_size; /* bytes, as all sizes here */
	void (*generation)(const void *old, struct generation *new);

	/* A value of `services`: cells; false: it is empty, or a VIP's mark. */
	size_t services_size, cell_size;
	bool (*service)(const void *cell, struct running_service *new);

	/* A value of `backends`, into backends, until, since, service_since. */
	size_t backends_size;
	void (*backends)(const void *rows, struct running *new);

	/*
	 * A way of `flows`, and its ends in `flow_keys`. Ways lie one behind
	 * the other in each map; way i of one belongs to way i of the other.
	 * The hash is today's, with the secrets of that release, which are
	 * kept: struct secrets is the same in all of them. hash 0: empty.
	 */
	size_t flow_size, key_size;
	void (*flow)(const void *way, struct flow *new);
	void (*ends)(const void *ends, struct flow_key *new);

	/*
	 * The key of `control` that has the last id of a service. 0: the map
	 * has one value, with all words in it, as today.
	 */
	__u32 service_id_key;
};

/* layout_v4.c */
extern const struct layout layout_v4;

/* Can the flows of this layout be taken over? */
bool layout_is_known(const char *name);

/*
 * Reads what the generation that is built follows: what runs or, from another
 * layout, what ran by the pins that are taken over. The latter has no tables,
 * so each slot will be marked SLOT_MOVED. Returns 0, or -1 with a fault.
 */
int running_before(const struct kernel *kernel, struct running *old,
		   struct fault *fault);
/*
 * Says of which backends a verb had set something there: like any other `up`,
 * one that takes over goes by its file.
 */
void layout_by_hand(const struct kernel *before);
/*
 * Copies the flow table of the pins that are taken over into memory, in today's
 * form: the flows that are in use and whose backend is there. *left: how many
 * others are in use, without those of which only SYNs have come. `now` in
 * jiffies. `since`: only flows for which flow_is_since() is true; 0: all.
 * Returns 0, or -1 with a fault; flow_table_close() is due in every case.
 */
int layout_flows(const struct kernel *before, __u64 since, __u64 now,
		 struct flow_table *table, size_t *left, struct fault *fault);
/*
 * Gives the new maps the old secrets, by which flows are found, and the last id
 * of a service. A refusal if the new ones are in use and others. 0, or -1 with
 * a fault.
 */
int layout_secrets(const struct kernel *before, const struct kernel *kernel,
		   struct fault *fault);

// SPDX-License-Identifier: GPL-2.0-only
/*
 * show_heartbeats.c - whose heartbeats have come, and what they said last
 */
#include <bpf/bpf.h>
#include <string.h>
#include <unistd.h>

#include "LoadBalancer/verbs/show.h"
#include "common/base/elapsed.h"
#include "common/base/json.h"
#include "common/config/write.h"
#include "common/core/abi_heartbeats.h"

/* What is wrong; "" if nothing is. The worst first. */
static const char *wrong(const struct heartbeat_row *row, bool same)
{
	return row->forged_at > row->heard ? "wrong key"
	       : !row->heard		   ? "never heard"
	       : row->clock_at == row->heard
		       ? "its clock differs by more than heartbeat-clock"
	       : same ? ""
		      : "another file runs there";
}

static json_t *heartbeat_row(const struct show *show, const struct addr *host,
			     const struct heartbeat_row *row)
{
	const struct generation *generation = &show->running.generation;
	bool same =
		!memcmp(row->digest, generation->digest, sizeof(row->digest));
	char digest[DIGEST_TEXT];

	return json_pack(
		"{s:o, s:o, s:f, s:s, s:b, s:f, s:I, s:I, s:o, s:o}", "host",
		json_addr(host), "heard", json_time(event_time(row->heard)),
		"clock-ahead-seconds", (double)row->ahead / 1e6, "digest",
		digest_text(row->digest, digest), "same-file", same, "cpu",
		row->cpu / 1e3, "flows", (json_int_t)row->flows, "moved-flows",
		(json_int_t)row->moved, "wrong-key",
		json_time(event_time(row->forged_at)), "why",
		json_text(wrong(row, same)));
}

json_t *heartbeats_rows(const struct kernel *kernel, const struct show *show)
{
	int map = kernel_map(kernel, "heartbeats");
	struct addr host, *last = NULL;
	json_t *rows = json_array();
	struct heartbeat_row row;

	while (map >= 0 && !bpf_map_get_next_key(map, last, &host)) {
		last = &host;
		if (!bpf_map_lookup_elem(map, &host, &row))
			json_array_append_new(rows,
					      heartbeat_row(show, &host, &row));
	}
	if (map >= 0)
		close(map);
	return rows;
}

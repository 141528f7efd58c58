// SPDX-License-Identifier: GPL-2.0-only
/*
 * status.c - what `bkd run` serves besides what `show` prints: the VIPs, and
 * whether a server here can answer from them
 */
#include "common/serve/status.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>

#include "Backend/generation/generation.h"
#include "Backend/verbs/verbs.h"
#include "common/base/json.h"
#include "common/kernel/generation.h"
#include "common/net/netlink.h"

static int by_address(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct addr));
}

/*
 * The VIPs of rows without an end whose server listens on the VIP; with
 * duplicates. Returns their number, or -1.
 */
static int vips_read(const struct kernel *kernel, struct addr **vips)
{
	struct restore_row *rows;
	int count = restores_read(kernel, generation_current(kernel), &rows);
	int i, kept = 0;

	*vips = count < 0 ? NULL : calloc((size_t)count + 1, sizeof(**vips));
	for (i = 0; *vips && i < count; i++) {
		if (!rows[i].restore.until && !rows[i].restore.at_own)
			(*vips)[kept++] = rows[i].restore.vip;
	}
	free(rows);
	return *vips ? kept : -1;
}

/* The addresses on lo. Their number, or -1. */
static int lo_read(struct addr **addresses)
{
	int lo = (int)if_nametoindex("lo"), i, kept = 0;
	struct link_address *rows;
	struct fault ignored;
	int count = addresses_read(&rows, &ignored);

	*addresses = count < 0 ? NULL
			       : calloc((size_t)count + 1, sizeof(**addresses));
	for (i = 0; *addresses && i < count; i++) {
		if (rows[i].ifindex == lo)
			(*addresses)[kept++] = rows[i].address;
	}
	free(rows);
	return *addresses ? kept : -1;
}

/* Each VIP once. */
static json_t *vips_rows(struct addr *vips, int count, struct addr *lo,
			 int lo_count)
{
	json_t *rows = json_array();
	int i;

	qsort(vips, (size_t)count, sizeof(*vips), by_address);
	qsort(lo, (size_t)lo_count, sizeof(*lo), by_address);
	for (i = 0; i < count; i++) {
		if (i && !by_address(&vips[i - 1], &vips[i]))
			continue;
		json_array_append_new(
			rows,
			json_pack("{s:o, s:b}", "vip", json_addr(&vips[i]),
				  "on-lo",
				  bsearch(&vips[i], lo, (size_t)lo_count,
					  sizeof(*lo), by_address) != NULL));
	}
	return rows;
}

static void add(void *unused, const struct kernel *kernel, json_t *root)
{
	struct addr *vips = NULL, *lo = NULL;
	int count, lo_count;

	(void)unused;
	if (!kernel)
		return;
	count = vips_read(kernel, &vips);
	lo_count = lo_read(&lo);
	if (count >= 0 && lo_count >= 0)
		json_object_set_new(root, "vips",
				    vips_rows(vips, count, lo, lo_count));
	free(vips);
	free(lo);
}

static const char page[] =
#include "Backend/page.h"
	;

const struct status_source bkd_status_source = {bkd_metrics, page, add};

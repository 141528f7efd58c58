// SPDX-License-Identifier: GPL-2.0-only
/*
 * flows.c - the connections here of each service, and those of them that need
 * the transition
 */
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "Backend/generation/generation.h"
#include "Backend/health/local.h"
#include "common/kernel/generation.h"
#include "common/net/sockets.h"

/* The first row of this service, or NULL. */
static struct local *local_of(struct locals *locals, const struct addr *vip,
			      __be16 port)
{
	struct service_key key = {
		.vip = *vip, .port = port, .protocol = IPPROTO_TCP};
	size_t first = 0, end = locals->count, middle;

	while (first < end) {
		middle = (first + end) / 2;
		if (memcmp(&locals->rows[middle]->service, &key, sizeof(key)) <
		    0)
			first = middle + 1;
		else
			end = middle;
	}
	return first < locals->count && !memcmp(&locals->rows[first]->service,
						&key, sizeof(key))
		       ? locals->rows[first]
		       : NULL;
}

/*
 * A connection does not show by which of this host's addresses it came: of
 * several, the first row has them all.
 */
static int flows_count(struct locals *locals, struct fault *fault_out)
{
	struct socket_row *rows;
	int count = connections_read(&rows, fault_out), i;
	struct local *local;

	if (count < 0)
		return -1;
	for (i = 0; i < count; i++) {
		local = local_of(locals, &rows[i].local, rows[i].port)
				?: local_of(locals, &rows[i].local, 0);
		if (local)
			local->flows++;
	}
	free(rows);
	return 0;
}

static void moved_add(struct locals *locals, const struct restore_row *row,
		      __u32 moved)
{
	struct local *local =
		local_of(locals, &row->restore.vip, row->key.port);

	if (local && row->key.protocol == IPPROTO_TCP)
		local->moved += moved;
}

static int moved_count(const struct kernel *kernel, struct locals *locals,
		       struct fault *fault_out)
{
	struct restore_row *rows;
	int count = restores_read(kernel, generation_current(kernel), &rows);
	__u32 *moved;
	int i, rc;

	if (count < 0)
		return fault(fault_out, "cannot read what is restored");
	moved = calloc((size_t)count + 1, sizeof(*moved));
	rc = moved ? moved_flows(kernel, rows, count, moved, fault_out) : -1;
	for (i = 0; !rc && i < count; i++)
		moved_add(locals, &rows[i], moved[i]);
	free(moved);
	free(rows);
	return rc;
}

int local_flows_read(const struct role *role, struct locals *locals,
		     struct fault *fault_out)
{
	struct kernel kernel;
	size_t i;
	int rc;

	for (i = 0; i < locals->count; i++)
		locals->rows[i]->flows = locals->rows[i]->moved = 0;
	rc = kernel_open(&kernel, role, ACCESS_READ, fault_out);
	rc = rc ?: moved_count(&kernel, locals, fault_out);
	kernel_close(&kernel);
	return rc ?: flows_count(locals, fault_out);
}

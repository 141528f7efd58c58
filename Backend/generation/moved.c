// SPDX-License-Identifier: GPL-2.0-only
/*
 * moved.c - count the flows that need second chance
 *
 * A flow that is established here, in a slot whose new flows go to another
 * backend, is found only as long as this one is among the slot's candidates.
 */
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "Backend/generation/generation.h"
#include "common/core/abi_services.h"
#include "common/core/candidates.h"
#include "common/core/hash.h"
#include "common/core/schedule.h"
#include "common/kernel/generation.h"
#include "common/net/sockets.h"

/* Has the file a row of its port? Then it is no flow of that of any port. */
static bool has_own_row(const struct restore_row *rows, int count,
			const struct socket_row *flow)
{
	int i;

	for (i = 0; i < count; i++) {
		if (!rows[i].restore.until && rows[i].key.port == flow->port &&
		    rows[i].key.protocol == IPPROTO_TCP &&
		    !memcmp(&rows[i].restore.vip, &flow->local,
			    sizeof(flow->local)))
			return true;
	}
	return false;
}

/* A flow at a standing deputy does not need the transition. */
static void without_deputy(struct candidates *list, const __u64 *standing,
			   __u32 slot)
{
	int last = MOST_CANDIDATES - 1;

	while (last && list->at[last] == NO_CANDIDATE)
		last--;
	if (standing[slot / 64] >> slot % 64 & 1)
		list->at[last] = NO_CANDIDATE;
}

/*
 * Is the connection a flow of this row, in such a slot? `list_count`: the lists
 * may be those of a later generation, after which all is read again.
 */
static bool is_moved(const struct restore_row *row,
		     const struct candidates *lists, size_t list_count,
		     const struct socket_row *flow)
{
	const struct restore *restore = &row->restore;
	__u32 deputies =
		restore->standing ? STANDING_BITS(restore->table_size) : 0;
	struct scheduling from = {.source = &flow->peer};
	struct candidates list;
	__u32 slot;
	int i;

	if (!restore->table_size ||
	    restore->lists_first + (size_t)restore->table_size +
			    restore->was_size + deputies >
		    list_count ||
	    (row->key.port && row->key.port != flow->port) ||
	    memcmp(&restore->vip, &flow->local, sizeof(flow->local)))
		return false;
	from.hash = hash_ends(&flow->peer, flow->peer_port, &restore->vip,
			      flow->port, row->key.protocol);
	lists += restore->lists_first;
	slot = scheduler_table_slot(restore->scheduler, &from,
				    restore->table_size);
	list = lists[slot];
	lists += restore->table_size;
	if (restore->standing)
		without_deputy(&list,
			       (const __u64 *)(lists + restore->was_size),
			       slot);
	if (restore->was_size)
		candidates_join(
			&list,
			&lists[scheduler_table_slot(restore->was_scheduler,
						    &from, restore->was_size)]);
	/* The first candidate owns the slot; others do not find a flow here. */
	for (i = 1; i < MOST_CANDIDATES; i++) {
		if (list.at[i] == restore->self)
			return true;
	}
	return false;
}

static bool any_in_transition(const struct restore_row *rows, int count)
{
	int i;

	for (i = 0; i < count; i++) {
		if (rows[i].restore.table_size)
			return true;
	}
	return false;
}

int moved_flows(const struct kernel *kernel, const struct restore_row *rows,
		int count, __u32 *flows, struct fault *fault_out)
{
	struct candidates *lists;
	struct socket_row *connections;
	int map, found, i, j;
	size_t size;

	if (!any_in_transition(rows, count))
		return 0;
	map = kernel_inner(kernel, "lists", generation_current(kernel));
	lists = map_open(map, PROT_READ, &size);
	if (map >= 0)
		close(map);
	if (!lists)
		return fault(fault_out, "cannot read the candidates");
	found = connections_read(&connections, fault_out);
	for (i = 0; i < found; i++) {
		for (j = 0; j < count; j++)
			flows[j] +=
				is_moved(&rows[j], lists, size / sizeof(*lists),
					 &connections[i]) &&
				(rows[j].key.port ||
				 !has_own_row(rows, count, &connections[i]));
	}
	if (found >= 0)
		free(connections);
	munmap(lists, size);
	return found < 0 ? -1 : 0;
}

// SPDX-License-Identifier: GPL-2.0-only
#include "common/tables/order.h"

#include <stdlib.h>

#include "common/core/abi_services.h"
#include "common/tables/each.h"
#include "common/tables/maglev.h"
#include "common/tables/sequence.h"

struct order {
	__u32 (*slots)(__u32 size, const struct table_backend *backends,
		       size_t count);
	int (*fill)(__u16 *table, __u32 slots,
		    const struct table_backend *backends, size_t count);
};

static const struct order maglev = {maglev_slots, maglev_fill};
static const struct order sequence = {sequence_slots, sequence_fill};

static const struct order each = {each_slots, each_fill};

static const struct order *const orders[] = {
#define SCHEDULER_ORDER(NAME, name, word, kind, order) &order,
	SCHEDULERS(SCHEDULER_ORDER)
#undef SCHEDULER_ORDER
};

struct table_backend *order_backends(const struct config_service *service,
				     const __u16 *indices,
				     const struct backend *backends,
				     size_t *count)
{
	const struct config_backend *from = service->backends;
	struct table_backend *list =
		calloc(service->backend_count, sizeof(*list));
	size_t i;

	*count = 0;
	for (i = 0; list && i < service->backend_count; i++) {
		if (backends[indices[i]].state != BACKEND_ACTIVE)
			continue;
		list[*count].address = from[i].address;
		list[*count].weight = from[i].weight;
		list[(*count)++].index = indices[i];
	}
	return list;
}

__u32 order_slots(__u8 scheduler, __u32 size,
		  const struct table_backend *backends, size_t count)
{
	return orders[scheduler]->slots(size, backends, count);
}

int order_fill(__u8 scheduler, __u16 *table, __u32 slots,
	       const struct table_backend *backends, size_t count)
{
	return orders[scheduler]->fill(table, slots, backends, count);
}

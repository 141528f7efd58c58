// SPDX-License-Identifier: GPL-2.0-only
#include "LoadBalancer/generation/members.h"

#include <sha256.h>
#include <stdlib.h>
#include <string.h>

static int by_address(const void *a, const void *b)
{
	const struct member *x = a, *y = b;
	int order = memcmp(&x->address, &y->address, sizeof(x->address));

	/* An address comes once; else the order in the file would matter. */
	return order ?: (x->id > y->id) - (x->id < y->id);
}

static void digest(struct members *members)
{
	const struct service *service = members->service;
	const __u32 head[] = {service->table_size, service->scheduler,
			      service->forgets, service->owners,
			      members->stand};
	__u8 inputs[DIGEST];
	struct member row;
	SHA256_CTX context;
	size_t i;

	SHA256Init(&context);
	SHA256Update(&context, (const uint8_t *)head, sizeof(head));
	for (i = 0; i < members->count; i++) {
		row = members->at[i];
		row.id = 0;
		SHA256Update(&context, (const uint8_t *)&row, sizeof(row));
	}
	SHA256Final(members->pool, &context);
	SHA256Init(&context);
	SHA256Update(&context, members->pool, sizeof(members->pool));
	for (i = 0; i < members->count; i++)
		SHA256Update(&context, (const uint8_t *)&members->at[i].id,
			     sizeof(members->at[i].id));
	SHA256Final(inputs, &context);
	memcpy(&members->inputs, inputs, sizeof(members->inputs));
}

int members_of(struct members *members, const struct config_service *from,
	       const struct service *service, const __u16 *indices,
	       const struct backend *backends)
{
	const struct config_backend *backend = from->backends;
	const struct backend *row;
	struct member *member;
	size_t i;

	*members = (struct members){.service = service,
				    .stand = service->owners &&
					     from->chance == CHANCE_ALWAYS};
	members->at = calloc(from->backend_count, sizeof(*members->at));
	if (!members->at)
		return -1;
	for (i = 0; i < from->backend_count; i++, backend++) {
		row = &backends[indices[i]];
		if (!service->forgets && row->state != BACKEND_ACTIVE)
			continue;
		member = &members->at[members->count++];
		member->address = backend->address;
		member->weight = backend->weight;
		member->is_active = row->state == BACKEND_ACTIVE;
		member->id = row->id;
		if (!service->forgets)
			continue;
		member->before = backend->before;
		member->after = backend->after;
		member->is_gone = row->state == BACKEND_DOWN;
		member->is_overridden = !!(backend->override & OVERRIDE_WEIGHT);
	}
	qsort(members->at, members->count, sizeof(*members->at), by_address);
	digest(members);
	return 0;
}

struct table_backend *members_active(const struct members *members,
				     size_t *count)
{
	struct table_backend *list = calloc(members->count + 1, sizeof(*list));
	size_t i;

	*count = 0;
	for (i = 0; list && i < members->count; i++) {
		if (members->at[i].is_active)
			list[(*count)++] = (struct table_backend){
				members->at[i].address, members->at[i].weight,
				(__u16)i};
	}
	return list;
}

int members_fill(const struct members *members, __u16 *numbers)
{
	const struct service *service = members->service;
	struct table_backend *list;
	size_t count;
	int rc;

	if (service->forgets)
		return deputies_fill(members, numbers);
	list = members_active(members, &count);
	rc = list ? order_fill(service->scheduler, numbers, service->table_size,
			       list, count)
		  : -1;
	free(list);
	return rc;
}

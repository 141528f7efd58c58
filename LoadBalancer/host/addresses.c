// SPDX-License-Identifier: GPL-2.0-only
#include "LoadBalancer/host/addresses.h"

#include <stdlib.h>
#include <string.h>

static int by_address(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct addr));
}

size_t addresses_sort(struct addr *addresses, size_t count)
{
	size_t i, kept = 0;

	qsort(addresses, count, sizeof(*addresses), by_address);
	for (i = 0; i < count; i++) {
		if (!kept || by_address(&addresses[kept - 1], &addresses[i]))
			addresses[kept++] = addresses[i];
	}
	return kept;
}

size_t addresses_below(const struct addr *addresses, size_t count,
		       const struct addr *address)
{
	size_t low = 0, high = count, middle;

	while (low < high) {
		middle = (low + high) / 2;
		if (by_address(&addresses[middle], address) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

struct addr *backend_addresses(const struct config *config, size_t *count)
{
	const struct config_service *service = config->services;
	struct addr *addresses;
	size_t s, b, all = 0;

	for (s = 0; s < config->service_count; s++)
		all += service[s].backend_count;
	addresses = calloc(all + 1, sizeof(*addresses));
	if (!addresses)
		return NULL;
	for (s = 0, all = 0; s < config->service_count; s++, service++) {
		for (b = 0; b < service->backend_count; b++)
			addresses[all++] = service->backends[b].address;
	}
	*count = addresses_sort(addresses, all);
	return addresses;
}

// SPDX-License-Identifier: GPL-2.0-only
#include "LoadBalancer/states.h"

#include "LoadBalancer/file.h"
#include "LoadBalancer/lbr.h"
#include "common/tool/generation.h"

__u8 state_of(const struct config *config, const struct config_service *service,
	      const struct config_backend *backend, const struct backend *old)
{
	bool was_down = old && old->state == BACKEND_DOWN;

	/* Also one that drains: a dead one cannot keep what it has. */
	if (config->states_known ? backend->down
				 : was_down && service->check.type)
		return BACKEND_DOWN;
	return backend->drain ? BACKEND_DRAINING : BACKEND_ACTIVE;
}

static bool any(const struct config_service *service, const __u16 *indices,
		const struct backend *backends, __u8 state)
{
	size_t i;

	for (i = 0; i < service->backend_count; i++) {
		if (backends[indices[i]].state == state)
			return true;
	}
	return false;
}

void states_keep_last(const struct config_service *service,
		      const __u16 *indices, struct backend *backends,
		      const struct backend *old)
{
	bool some = any(service, indices, old, BACKEND_ACTIVE);
	size_t i;

	if (service->on_all_down != ALL_DOWN_LAST ||
	    any(service, indices, backends, BACKEND_ACTIVE))
		return;
	for (i = 0; i < service->backend_count; i++) {
		if (backends[indices[i]].state == BACKEND_DOWN &&
		    !service->backends[i].drain &&
		    (!some || old[indices[i]].state == BACKEND_ACTIVE))
			backends[indices[i]].state = BACKEND_ACTIVE;
	}
}

struct asked {
	bool (*is_up)(const void *data, const struct backend *backend);
	const void *data;
};

/* Notes in `config` which backends are down, of those that run. */
static void states_note(const struct running *running,
			const struct asked *asked, struct config *config)
{
	struct config_service *service = config->services;
	const struct running_service *there;
	const struct backend *row;
	size_t i, j;

	for (i = 0; i < config->service_count; i++, service++) {
		there = running_service_for(running, service);
		for (j = 0; there && j < service->backend_count; j++) {
			row = running_backend(running, there->service.id,
					      &service->backends[j].address);
			service->backends[j].down =
				row && !asked->is_up(asked->data, row);
		}
	}
	config->states_known = true;
}

static int write_aside(struct kernel *kernel, const struct asked *asked,
		       __u32 current, struct fault *fault_out)
{
	struct running running;
	struct config config;
	int slot = -1;

	if (file_running(kernel, NULL, &config, fault_out))
		return -1;
	if (!running_read(kernel, current, &running, fault_out)) {
		states_note(&running, asked, &config);
		slot = generation_build(kernel, &config, fault_out);
		running_free(&running);
	}
	config_free(&config);
	return slot;
}

int states_write(struct kernel *kernel,
		 bool (*is_up)(const void *data, const struct backend *backend),
		 const void *data, struct fault *fault_out)
{
	const struct asked asked = {is_up, data};
	__u32 current = generation_current(kernel);
	int slot, changes;

	if (current == NO_SLOT)
		return fault(fault_out, "cannot change states: no generation");
	slot = write_aside(kernel, &asked, current, fault_out);
	if (slot < 0)
		return -1;
	changes = lbr_difference(kernel, current, (__u32)slot, stdout);
	if (changes < 0)
		return fault(fault_out, "cannot read the running state");
	if (changes && generation_switch(kernel, (__u32)slot, fault_out))
		return -1;
	return changes;
}

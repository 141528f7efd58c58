// SPDX-License-Identifier: GPL-2.0-only
/*
 * done.c - see done.h
 *
 * The map of services is pinned beside xdp_bkd's maps, so that a change of the
 * file needs no other program.
 */
#include "Backend/host/done.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "Backend/datapath/done.skel.h"
#include "Backend/generation/generation.h"
#include "Backend/host/host.h"
#include "common/core/abi_done.h"
#include "common/core/address.h"
#include "common/host/filters.h"
#include "common/kernel/clsact.h"

static const char *const own_maps[] = {"dones", NULL};
static const char *const fresh_maps[] = {NULL};

static const struct {
	enum clsact where;
	const char *name;
} programs[] = {
	{CLSACT_WORKERS_IN, "bkd_request"},
	{CLSACT_WORKERS_OUT, "bkd_done"},
};
#define PROGRAMS (sizeof(programs) / sizeof(*programs))

/* What this host is of a service; NULL: nothing, or no message is due. */
static const struct config_backend *here(const struct config *config,
					 const struct config_service *service,
					 const struct addr *own, int own_count)
{
	if (service->scheduler != SCHEDULER_WORKERS ||
	    !config->release_to_count)
		return NULL;
	return backend_here(service, own, own_count);
}

/* 1: it is; 0: not; -1 with a fault. */
static int is_wanted(const struct kernel *kernel, const struct config *config,
		     struct fault *fault_out)
{
	struct addr *own = NULL;
	int count = own_addresses(kernel, &own, fault_out), wanted = 0;
	size_t i;

	for (i = 0; count >= 0 && i < config->service_count; i++)
		wanted |=
			here(config, &config->services[i], own, count) != NULL;
	free(own);
	return count < 0 ? -1 : wanted;
}

static struct done_service row_of(const struct config *config,
				  const struct config_service *service,
				  const struct config_backend *backend)
{
	struct done_service row = {.own = backend->address,
				   .release = service->release};
	size_t i;

	memcpy(row.key, service->release_key, sizeof(row.key));
	for (i = 0; i < config->release_to_count; i++) {
		const struct addr *to = &config->release_to[i].address;

		if (addr_is_v4(to) == addr_is_v4(&service->vip))
			row.to[row.count++] = *to;
	}
	return row;
}

/* Rows that are not of the file any more. */
static void rows_clean(int map, const struct config *config,
		       const struct addr *own, int own_count)
{
	const struct config_service *service;
	struct done_key key, next;
	int rc = bpf_map_get_next_key(map, NULL, &key);
	bool is_there;
	size_t i;

	while (!rc) {
		rc = bpf_map_get_next_key(map, &key, &next);
		for (i = 0, is_there = false;
		     i < config->service_count && !is_there; i++) {
			service = &config->services[i];
			is_there = addr_equal(&service->vip, &key.vip) &&
				   service->port == key.port &&
				   here(config, service, own, own_count);
		}
		if (!is_there)
			bpf_map_delete_elem(map, &key);
		key = next;
	}
}

static int row_write(int map, const struct config *config,
		     const struct config_service *service,
		     const struct config_backend *backend)
{
	struct done_key key = {.vip = service->vip, .port = service->port};
	struct done_service row = row_of(config, service, backend), old;

	if (!bpf_map_lookup_elem(map, &key, &old))
		row.longest = old.longest;
	return bpf_map_update_elem(map, &key, &row, BPF_ANY);
}

static int rows_write(const struct kernel *kernel, const struct config *config,
		      struct fault *fault_out)
{
	int map = kernel_pinned(kernel, "dones"), rc = 0;
	const struct config_backend *backend;
	struct addr *own = NULL;
	int count = own_addresses(kernel, &own, fault_out);
	size_t i;

	if (count < 0)
		rc = -1;
	for (i = 0; !rc && i < config->service_count; i++) {
		backend = here(config, &config->services[i], own, count);
		if (backend &&
		    row_write(map, config, &config->services[i], backend))
			rc = fault(fault_out, "cannot write release-to: %s",
				   strerror(errno));
	}
	if (!rc)
		rows_clean(map, config, own, count);
	if (map >= 0)
		close(map);
	free(own);
	return rc;
}

/* The loaded programs, as fds in the order of `programs`. 0, or -1. */
static int done_load(const struct kernel *kernel, int fds[PROGRAMS],
		     struct fault *fault_out)
{
	struct done_bpf *skeleton = done_bpf__open();
	int rc = -1;
	size_t i;

	if (skeleton &&
	    !kernel_share_maps(kernel, skeleton->obj, own_maps, fresh_maps) &&
	    !done_bpf__load(skeleton) &&
	    !kernel_pin_maps(kernel, skeleton->obj, own_maps))
		rc = 0;
	for (i = 0; !rc && i < PROGRAMS; i++) {
		fds[i] = fcntl(bpf_program__fd(bpf_object__find_program_by_name(
				       skeleton->obj, programs[i].name)),
			       F_DUPFD_CLOEXEC, 3);
		rc = fds[i] < 0 ? -1 : 0;
	}
	if (rc)
		fault(fault_out, "cannot load bkd_done: %s", strerror(errno));
	done_bpf__destroy(skeleton);
	return rc;
}

/* Attaches what is missing; with a new xdp_bkd, all. */
static int attach_all(struct kernel *kernel, const char *const *names,
		      const int fds[PROGRAMS], const bool missing[][PROGRAMS],
		      struct fault *fault_out)
{
	size_t i, p;

	for (i = 0; names[i]; i++) {
		for (p = 0; p < PROGRAMS; p++) {
			if (!missing[i][p] && !kernel->object)
				continue;
			if (clsact_attach(kernel, names[i], programs[p].where,
					  fds[p], fault_out))
				return -1;
			if (missing[i][p])
				printf("%s: %s attached\n", names[i],
				       programs[p].name);
		}
	}
	return 0;
}

int done_host(struct kernel *kernel, const struct config *config,
	      const char *const *names, struct fault *fault_out)
{
	bool missing[MAX_INTERFACES][PROGRAMS], is_there = true;
	int fds[PROGRAMS] = {-1, -1}, rc;
	size_t i, p;

	rc = is_wanted(kernel, config, fault_out);
	if (rc <= 0)
		return rc;
	for (i = 0; names[i]; i++) {
		for (p = 0; p < PROGRAMS; p++) {
			missing[i][p] = filter_is_missing(kernel, names[i],
							  programs[p].where,
							  programs[p].name);
			is_there = is_there && !missing[i][p];
		}
	}
	rc = 0;
	if (kernel->object || !is_there)
		rc = done_load(kernel, fds, fault_out);
	rc = rc ?: rows_write(kernel, config, fault_out);
	if (!rc && fds[0] >= 0)
		rc = attach_all(kernel, names, fds, missing, fault_out);
	for (p = 0; p < PROGRAMS; p++) {
		if (fds[p] >= 0)
			close(fds[p]);
	}
	return rc;
}

void done_settle(struct kernel *kernel, const struct config *config)
{
	struct fault ignored;
	bool wanted = is_wanted(kernel, config, &ignored) != 0;
	size_t p;

	for (p = 0; p < PROGRAMS; p++)
		filters_settle(kernel, programs[p].where, programs[p].name,
			       wanted);
}

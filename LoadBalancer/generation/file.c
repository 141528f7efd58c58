// SPDX-License-Identifier: GPL-2.0-only
#include "LoadBalancer/generation/file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "LoadBalancer/generation/read.h"
#include "common/config/health.h"
#include "common/config/write.h"
#include "common/core/abi_services.h"

#define NAME "the running state"

#define PAGE sizeof(struct file_page)

static int text_write(struct kernel *kernel, __u32 at, const char *text,
		      size_t length, struct fault *fault_out)
{
	int fd = inner_take(kernel, "file", at, (__u32)(length / PAGE) + 1,
			    fault_out);
	size_t size;
	char *map;

	if (fd < 0)
		return -1;
	map = map_open(fd, PROT_READ | PROT_WRITE, &size);
	if (map) {
		memcpy(map, text, length);
		memset(map + length, 0, size - length);
		munmap(map, size);
	} else {
		fault(fault_out, "cannot keep the file: %s", strerror(errno));
	}
	close(fd);
	return map ? 0 : -1;
}

int file_keep(struct kernel *kernel, const struct config *config,
	      struct generation *generation, struct fault *fault_out)
{
	__u32 current = generation_current(kernel);
	struct generation running = {0};
	char *text = NULL;
	size_t length;
	FILE *out;
	int rc;

	if (current != NO_GENERATION &&
	    generation_read(kernel, current, &running))
		return fault(fault_out, "cannot keep the file: %s",
			     strerror(errno));
	generation->file = running.file;
	if (config->is_running)
		return 0;
	/* Not over the one that runs, which others read. */
	generation->file = (running.file + 1) % GENERATIONS;
	out = open_memstream(&text, &length);
	if (out)
		config_write(config, out);
	if (!out || fclose(out))
		return fault(fault_out, "cannot keep the file: %s",
			     strerror(ENOMEM));
	rc = text_write(kernel, generation->file, text, length, fault_out);
	free(text);
	return rc;
}

int file_read(const struct kernel *kernel, __u32 index, struct config *config,
	      struct fault *fault_out)
{
	struct generation of = {0};
	int fd = generation_read(kernel, index, &of)
			 ? -1
			 : kernel_inner(kernel, "file", of.file);
	char why[sizeof(fault_out->cause) - 64];
	size_t size;
	char *text = map_open(fd, PROT_READ, &size);
	int rc, error = errno;

	if (fd >= 0)
		close(fd);
	if (!text && error != ENOENT)
		return fault(fault_out,
			     "cannot read the configuration that %s runs: %s",
			     kernel->role->program, strerror(error));
	if (!text) {
		fault(fault_out,
		      "cannot read the configuration that %s runs: the "
		      "%s that built it kept none",
		      kernel->role->program, kernel->role->name);
		return fault_hint(fault_out, "%s up -c FILE",
				  kernel->role->name);
	}
	rc = config_parse(NAME, text, strnlen(text, size), config, why,
			  sizeof(why), NULL);
	munmap(text, size);
	if (!rc)
		return 0;
	fault(fault_out, "cannot take up %s", why);
	return fault_hint(fault_out, "%s up -c FILE", kernel->role->name);
}

/* Applies what was set by hand to what the file says. */
static int overlay(const struct kernel *kernel, struct config *config,
		   struct fault *fault_out)
{
	struct config_service *service = config->services;
	const struct running_service *there;
	struct config_backend *backend;
	const struct backend *row;
	struct running running;
	size_t i, j;

	if (running_read(kernel, generation_current(kernel), &running,
			 fault_out))
		return -1;
	for (i = 0; i < config->service_count; i++, service++) {
		there = running_service_for(&running, service);
		backend = service->backends;
		for (j = 0; there && j < service->backend_count;
		     j++, backend++) {
			row = running_backend(&running, there->service.id,
					      &backend->address);
			if (!row)
				continue;
			backend->override = row->override;
			/* Marks the backend if it differs from the file. */
			backend->drain ^= !!(row->override & OVERRIDE_STATE);
			if (row->override & OVERRIDE_WEIGHT)
				backend->weight = row->weight;
			/* As a file says it: see transition.h. */
			if (backend->drain) {
				backend->state = STATE_ACTIVE;
				backend->weight_before = 0;
			}
		}
	}
	running_free(&running);
	return 0;
}

static int text_read(const struct kernel *kernel, struct config *config,
		     struct fault *fault_out)
{
	return file_read(kernel, generation_current(kernel), config, fault_out);
}

int file_running(const struct kernel *kernel, struct config *file,
		 struct config *state, struct fault *fault_out)
{
	if (file && text_read(kernel, file, fault_out))
		return -1;
	if (!state)
		return 0;
	if (!text_read(kernel, state, fault_out)) {
		state->is_running = true;
		if (!overlay(kernel, state, fault_out))
			return 0;
		config_free(state);
	}
	if (file)
		config_free(file);
	return -1;
}

bool file_wants_checks(const struct config *config)
{
	size_t i;

	for (i = 0; i < config->service_count; i++) {
		if (config->services[i].check.type != CHECK_NONE)
			return true;
	}
	return false;
}

bool file_wants_check_path(const struct config *config)
{
	const struct config_service *service = config->services;
	size_t i;

	for (i = 0; i < config->service_count; i++, service++) {
		if (service->check.type != CHECK_NONE &&
		    health_heartbeats(&service->check) != HEARTBEATS_ALONE &&
		    !method_returns(&service->method))
			return true;
	}
	return false;
}

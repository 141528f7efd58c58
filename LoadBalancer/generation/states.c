// SPDX-License-Identifier: GPL-2.0-only
#include "LoadBalancer/generation/states.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "LoadBalancer/generation/file.h"
#include "LoadBalancer/generation/generation.h"
#include "common/core/abi_services.h"
#include "common/kernel/generation.h"

__u8 finding_of(const struct config *config,
		const struct config_service *service,
		const struct config_backend *backend, const struct backend *old)
{
	if (config->findings_known)
		return backend->finding;
	/* What was known about a backend that was removed is out of date. */
	if (!old || old->state == BACKEND_REMOVING || !service->check.type)
		return FINDING_NONE;
	return old->finding;
}

struct asked {
	finding_fn *ask;
	const void *data;
};

static enum health_finding ask(const struct asked *asked,
			       const struct backend *backend, const char **why)
{
	*why = NULL;
	/* Backends that are being removed are not checked. */
	return backend->state == BACKEND_REMOVING
		       ? backend->finding
		       : asked->ask(asked->data, backend, why);
}

static bool is_down(__u8 finding)
{
	return finding == FINDING_PATH_DOWN ||
	       finding == FINDING_APPLICATION_DOWN;
}

/* Notes in `config` what was found about the running backends. */
static void findings_note(const struct running *running,
			  const struct asked *asked, struct config *config)
{
	struct config_service *service = config->services;
	const struct running_service *there;
	const struct backend *row;
	const char *why;
	size_t i, j;

	for (i = 0; i < config->service_count; i++, service++) {
		there = running_service_for(running, service);
		for (j = 0; there && j < service->backend_count; j++) {
			row = running_backend(running, there->service.id,
					      &service->backends[j].address);
			if (row)
				service->backends[j].finding =
					ask(asked, row, &why);
		}
	}
	config->findings_known = true;
}

static int switch_by(struct kernel *kernel, struct config *config,
		     const struct running *running, const struct asked *asked,
		     __u32 current, struct fault *fault_out)
{
	int index;

	findings_note(running, asked, config);
	index = generation_build(kernel, config, fault_out);
	if (index < 0)
		return -1;
	if (lbr_diff(kernel, current, (__u32)index, config, stdout) < 0)
		return fault(fault_out, "cannot read the running state");
	return generation_switch(kernel, (__u32)index, fault_out);
}

static int switch_to(struct kernel *kernel, struct config *known,
		     const struct running *running, const struct asked *asked,
		     __u32 current, struct fault *fault_out)
{
	struct config config;
	int rc;

	if (known)
		return switch_by(kernel, known, running, asked, current,
				 fault_out);
	if (file_running(kernel, NULL, &config, fault_out))
		return -1;
	rc = switch_by(kernel, &config, running, asked, current, fault_out);
	config_free(&config);
	return rc;
}

/*
 * A backend's first good check changes nothing for packets: it is noted in
 * place, without a new generation.
 */
static int write_in_place(struct kernel *kernel, const struct running *running,
			  const struct asked *asked, __u32 current,
			  struct fault *fault_out)
{
	const struct backend *backend;
	struct backend_rows *rows;
	struct part part;
	const char *why;
	size_t i;

	rows = part_open(&part, kernel, "backends", current,
			 PROT_READ | PROT_WRITE);
	if (!rows)
		return fault(fault_out, "cannot write what was found: %s",
			     strerror(errno));
	for (i = 0; i < running->backend_count; i++) {
		backend = running->by_address[i];
		rows->at[backend->id % BACKEND_INDEXES].finding =
			(__u8)ask(asked, backend, &why);
	}
	part_close(&part);
	return 0;
}

/*
 * Removes the texts of backends that are up, or gone: after the switch, as
 * until then they are shown.
 */
static void why_prune(const struct kernel *kernel,
		      const struct running *running, const struct asked *asked)
{
	int rc, map = kernel_map(kernel, "verdicts");
	const struct backend *backend;
	__u32 key, next;
	const char *why;

	if (map < 0)
		return;
	rc = bpf_map_get_next_key(map, NULL, &key);
	while (!rc) {
		rc = bpf_map_get_next_key(map, &key, &next);
		backend = &running->backends[key % BACKEND_INDEXES];
		if (backend->id != key || backend->state == BACKEND_ABSENT ||
		    !is_down((__u8)ask(asked, backend, &why)))
			bpf_map_delete_elem(map, &key);
		key = next;
	}
	close(map);
}

/*
 * Before the switch, so that who sees a backend down sees why. Without the
 * texts people miss something, packets nothing: no fault.
 */
static void why_write(const struct kernel *kernel,
		      const struct running *running, const struct asked *asked)
{
	int map = kernel_map(kernel, "verdicts");
	const struct backend *backend;
	struct verdict_text text;
	const char *why;
	size_t i;

	if (map < 0)
		return;
	for (i = 0; i < running->backend_count; i++) {
		backend = running->by_address[i];
		if (!is_down((__u8)ask(asked, backend, &why)) || !why || !*why)
			continue;
		memset(&text, 0, sizeof(text));
		strncpy(text.why, why, sizeof(text.why) - 1);
		bpf_map_update_elem(map, &backend->id, &text, BPF_ANY);
	}
	close(map);
}

/* Does anything change for packets? */
static bool matters(const struct running *running, const struct asked *asked)
{
	const struct backend *backend;
	const char *why;
	__u8 finding;
	size_t i;

	for (i = 0; i < running->backend_count; i++) {
		backend = running->by_address[i];
		finding = (__u8)ask(asked, backend, &why);
		if (finding != backend->finding &&
		    (is_down(finding) || is_down(backend->finding)))
			return true;
	}
	return false;
}

int states_write(struct kernel *kernel, struct config *config,
		 finding_fn *ask_it, const void *data, struct fault *fault_out)
{
	const struct asked asked = {ask_it, data};
	__u32 current = generation_current(kernel);
	struct running running;
	int rc;

	if (current == NO_GENERATION)
		return fault(fault_out, "cannot change states: no generation");
	if (running_read(kernel, current, &running, fault_out))
		return -1;
	kernel->running = &running;
	why_write(kernel, &running, &asked);
	rc = matters(&running, &asked)
		     ? switch_to(kernel, config, &running, &asked, current,
				 fault_out)
		     : write_in_place(kernel, &running, &asked, current,
				      fault_out);
	if (!rc)
		why_prune(kernel, &running, &asked);
	kernel->running = NULL;
	running_free(&running);
	return rc;
}

const char *states_why(int map, const struct backend *backend, char *text)
{
	struct verdict_text found;

	*text = '\0';
	if (map >= 0 && is_down(backend->finding) &&
	    !bpf_map_lookup_elem(map, &backend->id, &found))
		snprintf(text, VERDICT_TEXT, "%.*s", VERDICT_TEXT - 1,
			 found.why);
	return text;
}

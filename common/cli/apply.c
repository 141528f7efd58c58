// SPDX-License-Identifier: GPL-2.0-only
/*
 * apply.c - make the running state equal to a file
 *
 * The new generation is built aside first, so the printed difference is between
 * what packets go by now and what they will go by.
 */
#include <string.h>

#include "common/base/printing.h"
#include "common/cli/cli.h"
#include "common/core/abi_services.h"
#include "common/host/change.h"
#include "common/host/interfaces.h"
#include "common/kernel/generation.h"
#include "common/kernel/kernel.h"

/* Was the running generation built from a file with the same meaning? */
static bool same_file(const struct kernel *kernel, __u32 index,
		      const struct config *config)
{
	struct generation running;

	return !generation_read(kernel, index, &running) &&
	       !memcmp(running.digest, config->digest, sizeof(running.digest));
}

/* Also of the same file: what was changed on the host, or flushed. */
static int host_apply(struct kernel *kernel, const struct config *config,
		      bool dry_run, struct fault *fault_out)
{
	if (dry_run)
		return interfaces_differ(kernel, config, fault_out);
	return kernel->role->host(kernel, config, NULL, fault_out)
		       ?: interfaces_write(kernel, config, fault_out);
}

/* Nothing is printed but what changes. */
static int switch_to(struct kernel *kernel, const struct config *config,
		     __u32 index, bool dry_run, struct fault *fault_out)
{
	__u32 current = generation_current(kernel);
	size_t before = printing_count();
	int changes;

	changes = kernel->role->diff(kernel, current, index, config, stdout);
	if (changes < 0)
		return fault(fault_out, "cannot read the running state");
	if (host_apply(kernel, config, dry_run, fault_out))
		return -1;
	if (printing_count() == before)
		printf("%s: nothing that packets meet changes\n", config->path);
	if (dry_run || (!changes && same_file(kernel, current, config)))
		return 0;
	return generation_switch(kernel, index, fault_out);
}

int apply_config(struct kernel *kernel, const struct config *config,
		 bool dry_run, struct fault *fault_out)
{
	int index;

	if (generation_current(kernel) == NO_GENERATION) {
		fault(fault_out, "cannot apply %s: no generation runs",
		      config->path);
		return fault_hint(fault_out, "%s up", kernel->role->name);
	}
	if (kernel_attachments(kernel, fault_out))
		return -1;
	if (kernel->role->prepare &&
	    kernel->role->prepare(kernel, config, fault_out))
		return -1;
	index = generation_build(kernel, config, fault_out);
	if (index < 0)
		return -1;
	if (switch_to(kernel, config, (__u32)index, dry_run, fault_out))
		return -1;
	if (!dry_run && kernel->role->settle)
		kernel->role->settle(kernel, config);
	return 0;
}

int apply_file(const struct role *role, const struct options *options,
	       enum access access, struct fault *fault_out)
{
	struct config config;
	struct kernel kernel;
	const char *path;
	int rc;

	path = options->argument ?: options->config ?: DEFAULT_CONFIG;
	if (config_read(path, &config, fault_out->cause,
			sizeof(fault_out->cause), stderr))
		return fault_hint(fault_out, "%s check %s", role->name, path);
	rc = kernel_open(&kernel, role, access, fault_out);
	kernel.at_once = options->now;
	if (!rc)
		kernel.address_count =
			change_addresses(&kernel, kernel.addresses, MAX_OWN);
	rc = rc ?: kernel_attachments(&kernel, fault_out);
	if (!rc && !options->dry_run)
		rc = kernel_attached(&kernel, fault_out);
	rc = rc ?: apply_config(&kernel, &config, options->dry_run, fault_out);
	kernel_close(&kernel);
	if (!rc && role->notes)
		role->notes(&config, stdout);
	config_free(&config);
	return rc;
}

int verb_apply(const struct role *role, const struct options *options)
{
	struct fault fault_is = {0};

	if (apply_file(role, options, ACCESS_CHANGE, &fault_is))
		return cli_failed(role, &fault_is);
	return EXIT_DONE;
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * run.c - `bkd run`: serves status and metrics, and follows the host
 *
 * It does not wait for xdp_bkd, because it has to report whether that is up.
 * The kernel keeps xdp_lbr's file, but not xdp_bkd's: `bkd run` reads it again,
 * and follows it only if it is the file that runs.
 */
#include "common/serve/run.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "Backend/generation/generation.h"
#include "Backend/verbs/verbs.h"
#include "common/cli/cli.h"
#include "common/cli/options.h"
#include "common/core/abi_services.h"
#include "common/host/upkeep.h"
#include "common/kernel/generation.h"

struct follow {
	const struct role *role;
	const char *path;
	struct upkeep upkeep;
	struct config config;
	bool has_config;
	__u8 refused[32]; /* digest of what runs, if that is not in the file */
	struct addr *own; /* addresses of the running generation */
	int own_count;
};

static bool is_of(const struct config *config,
		  const struct generation *generation)
{
	return !memcmp(config->digest, generation->digest,
		       sizeof(generation->digest));
}

/* Reads the file, if it is the one that runs. */
static void config_again(struct follow *follow,
			 const struct generation *generation)
{
	char why[512];

	if (follow->has_config)
		config_free(&follow->config);
	follow->has_config = !config_read(follow->path, &follow->config, why,
					  sizeof(why), NULL);
	if (follow->has_config && is_of(&follow->config, generation)) {
		memset(follow->refused, 0, sizeof(follow->refused));
		return;
	}
	if (follow->has_config)
		config_free(&follow->config);
	follow->has_config = false;
	/* Reports once that another file runs. */
	if (memcmp(follow->refused, generation->digest,
		   sizeof(follow->refused)))
		printf("%s is not what runs: until it is applied, VIPs, "
		       "addresses and settings of this host are not followed\n",
		       follow->path);
	memcpy(follow->refused, generation->digest, sizeof(follow->refused));
}

static const struct config *config_now(void *data, struct kernel *kernel)
{
	struct follow *follow = data;
	struct generation generation;

	if (generation_read(kernel, generation_current(kernel), &generation))
		return NULL;
	if (!follow->has_config || !is_of(&follow->config, &generation))
		config_again(follow, &generation);
	return follow->has_config ? &follow->config : NULL;
}

/* Neighbours do not matter to it; routes do if they announce a segment size. */
static unsigned int matters(void *data, const struct nlmsghdr *message,
			    enum monitor_what what)
{
	const struct follow *follow = data;

	(void)message;
	switch (what) {
	case MONITOR_NEIGHBOUR:
	case MONITOR_RULE:
		return 0;
	case MONITOR_ROUTE:
		return follow->has_config && follow->config.advmss ? what : 0;
	default:
		return what;
	}
}

/* Builds what is restored for the addresses that this host has now. */
static int own_follow(struct kernel *kernel, const struct config *config,
		      struct fault *fault_out)
{
	__u32 current = generation_current(kernel);
	int slot = generation_build(kernel, config, fault_out), changes, rc = 0;

	if (slot < 0)
		return -1;
	changes = bkd_difference(kernel, current, (__u32)slot, stdout);
	if (changes < 0)
		rc = fault(fault_out, "cannot read the running state");
	else if (changes)
		rc = generation_switch(kernel, (__u32)slot, fault_out);
	return rc;
}

static int also(void *data, struct kernel *kernel, const struct config *config,
		unsigned int what, struct fault *fault_out)
{
	struct follow *follow = data;
	struct addr *own;
	int count = own_addresses(kernel, &own, fault_out), rc = 0;

	(void)what;
	if (count < 0)
		return -1;
	if (!follow->own || count != follow->own_count ||
	    memcmp(own, follow->own, (size_t)count * sizeof(*own)))
		rc = own_follow(kernel, config, fault_out);
	if (rc) {
		free(own);
		return -1;
	}
	free(follow->own);
	follow->own = own;
	follow->own_count = count;
	return 0;
}

static int begin(void *data, struct event_base *base, struct fault *fault_out)
{
	struct follow *follow = data;

	follow->upkeep = (struct upkeep){
		.role = follow->role,
		.config = config_now,
		.matters = matters,
		.also = also,
		.data = follow,
	};
	return upkeep_start(&follow->upkeep, base, fault_out);
}

static void applied(void *data)
{
	struct follow *follow = data;

	upkeep_all(&follow->upkeep);
}

static void end(void *data)
{
	struct follow *follow = data;

	upkeep_stop(&follow->upkeep);
	if (follow->has_config)
		config_free(&follow->config);
	free(follow->own);
}

int bkd_run(const struct role *role, const struct options *options)
{
	struct follow follow = {.role = role,
				.path = options->config ?: DEFAULT_CONFIG};
	const struct work work = {begin, applied, end, &follow};

	return run_work(role, options, &work);
}

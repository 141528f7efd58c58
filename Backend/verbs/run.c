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
#include "Backend/health/heartbeats.h"
#include "Backend/host/host.h"
#include "Backend/verbs/verbs.h"
#include "common/cli/cli.h"
#include "common/cli/options.h"
#include "common/core/abi_services.h"
#include "common/host/upkeep.h"
#include "common/kernel/generation.h"

struct bkd_monitor {
	const struct role *role;
	const char *path;
	struct upkeep upkeep;
	struct config config;
	bool has_config;
	__u8 refused[32]; /* digest of what runs, if that is not in the file */
	bool has_peers;	  /* whose MAC addresses are followed */
	bool has_local;	  /* routes, to VIPs */
	struct addr *own; /* addresses of the running generation */
	int own_count;
	struct bkd_heartbeats heartbeats;
};

static bool is_of(const struct config *config,
		  const struct generation *generation)
{
	return !memcmp(config->digest, generation->digest,
		       sizeof(generation->digest));
}

/* Reads the file, if it is the one that runs. */
static void config_again(struct bkd_monitor *monitor,
			 const struct generation *generation)
{
	char why[512];

	if (monitor->has_config)
		config_free(&monitor->config);
	monitor->has_config = !config_read(monitor->path, &monitor->config, why,
					   sizeof(why), NULL);
	if (monitor->has_config && is_of(&monitor->config, generation)) {
		memset(monitor->refused, 0, sizeof(monitor->refused));
		return;
	}
	if (monitor->has_config)
		config_free(&monitor->config);
	monitor->has_config = false;
	/* Reports once that another file runs. */
	if (memcmp(monitor->refused, generation->digest,
		   sizeof(monitor->refused)))
		printf("%s is not what runs: until it is applied, VIPs, "
		       "addresses and settings of this host are not followed\n",
		       monitor->path);
	memcpy(monitor->refused, generation->digest, sizeof(monitor->refused));
}

static const struct config *config_now(void *data, struct kernel *kernel)
{
	struct bkd_monitor *monitor = data;
	struct generation generation;

	if (generation_read(kernel, generation_current(kernel), &generation))
		return NULL;
	if (!monitor->has_config || !is_of(&monitor->config, &generation))
		config_again(monitor, &generation);
	return monitor->has_config ? &monitor->config : NULL;
}

/*
 * Routes matter if they announce a segment size, lead to peers, or make a VIP
 * local; neighbours if there are peers.
 */
static unsigned int matters(void *data, const struct nlmsghdr *message,
			    enum monitor_what what)
{
	const struct bkd_monitor *monitor = data;

	(void)message;
	switch (what) {
	case MONITOR_RULE:
		return 0;
	case MONITOR_NEIGHBOUR:
		return monitor->has_peers ? what : 0;
	case MONITOR_ROUTE:
		return monitor->has_peers || monitor->has_local ||
				       (monitor->has_config &&
					monitor->config.advmss)
			       ? what
			       : 0;
	default:
		return what;
	}
}

/* Builds what is restored for the addresses that this host has now. */
static int own_follow(struct kernel *kernel, const struct config *config,
		      struct fault *fault_out)
{
	__u32 current = generation_current(kernel);
	int index = generation_build(kernel, config, fault_out), changes,
	    rc = 0;

	if (index < 0)
		return -1;
	changes = bkd_diff(kernel, current, (__u32)index, config, stdout);
	if (changes < 0)
		rc = fault(fault_out, "cannot read the running state");
	else if (changes)
		rc = generation_switch(kernel, (__u32)index, fault_out);
	return rc;
}

static int also(void *data, struct kernel *kernel, const struct config *config,
		unsigned int what, struct fault *fault_out)
{
	struct bkd_monitor *monitor = data;
	struct addr *own;
	int count = own_addresses(kernel, &own, fault_out), rc = 0;

	(void)what;
	if (count < 0)
		return -1;
	monitor->has_peers = has_peers(config);
	monitor->has_local = serves_at_own(config, own, count);
	if (monitor->has_peers)
		rc = bkd_peers(kernel, config, fault_out);
	if (!rc)
		rc = bkd_heartbeats_sync(&monitor->heartbeats, config, own,
					 count, fault_out);
	if (!rc && (!monitor->own || count != monitor->own_count ||
		    memcmp(own, monitor->own, (size_t)count * sizeof(*own))))
		rc = own_follow(kernel, config, fault_out);
	if (rc) {
		free(own);
		return -1;
	}
	free(monitor->own);
	monitor->own = own;
	monitor->own_count = count;
	return 0;
}

static const struct upkeep_calls upkeep_calls = {config_now, matters, also};

static int begin(void *data, struct event_base *base, struct fault *fault_out)
{
	struct bkd_monitor *monitor = data;

	return bkd_heartbeats_start(&monitor->heartbeats, base, fault_out)
		       ?: upkeep_start(&monitor->upkeep, monitor->role,
				       &upkeep_calls, monitor, base, fault_out);
}

static void applied(void *data)
{
	struct bkd_monitor *monitor = data;

	upkeep_all(&monitor->upkeep);
}

static void end(void *data)
{
	struct bkd_monitor *monitor = data;

	upkeep_stop(&monitor->upkeep);
	bkd_heartbeats_stop(&monitor->heartbeats);
	if (monitor->has_config)
		config_free(&monitor->config);
	free(monitor->own);
}

int bkd_run(const struct role *role, const struct options *options)
{
	struct bkd_monitor monitor = {
		.role = role,
		.path = options->config ?: DEFAULT_CONFIG,
		.heartbeats = {.role = role,
			       .file = options->config ?: DEFAULT_CONFIG},
	};
	const struct work work = {begin, applied, end, &monitor};

	return run_work(role, options, &work);
}

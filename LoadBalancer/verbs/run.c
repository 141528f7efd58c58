// SPDX-License-Identifier: GPL-2.0-only
/*
 * run.c - `lbr run`: the work that has to be done again and again
 */
#include <event2/event.h>
#include <stdlib.h>
#include <sys/random.h>

#include "LoadBalancer/health/monitor.h"
#include "LoadBalancer/verbs/verbs.h"
#include "common/cli/options.h"
#include "common/serve/run.h"

/* Otherwise all load balancers would check a backend at the same moments. */
static void chance_seed(void)
{
	unsigned int seed;

	if (getrandom(&seed, sizeof(seed), 0) == sizeof(seed))
		srandom(seed);
}

static int begin(void *data, struct event_base *base, struct fault *fault_out)
{
	chance_seed();
	return lbr_monitor_start(data, base, fault_out);
}

static void applied(void *data)
{
	lbr_monitor_again(data);
}

static void end(void *data)
{
	lbr_monitor_stop(data);
}

int lbr_run(const struct role *role, const struct options *options)
{
	struct lbr_monitor monitor = {
		.role = role,
		.heartbeats.file = options->config ?: DEFAULT_CONFIG};
	const struct work work = {begin, applied, end, &monitor};

	return run_work(role, options, &work);
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * leave.c - withdraw all VIPs, while packets still come and are forwarded
 *
 * `down` does this first, and so does the stop of lbr.service, which is one.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "LoadBalancer/generation/file.h"
#include "LoadBalancer/host/hook.h"
#include "LoadBalancer/verbs/verbs.h"
#include "common/cli/cli.h"
#include "common/config/keys.h"
#include "common/host/announce.h"

struct leaving {
	struct config_announce keys; /* of the running file */
	struct hook_call *calls;     /* one for each service */
	size_t count;
	bool is_news; /* something is announced */
};

static void calls_fill(struct leaving *leaving, const struct running *running,
		       const struct fitnesses *fitnesses)
{
	struct fitness fitness;
	size_t i;

	leaving->calls =
		calloc(running->service_count + 1, sizeof(*leaving->calls));
	for (i = 0; leaving->calls && *leaving->keys.hook &&
		    i < running->service_count;
	     i++) {
		struct hook_call *call = &leaving->calls[leaving->count];

		if (!fitnesses->files[i])
			continue;
		service_fitness(fitnesses, &running->services[i], &fitness);
		hook_service(&running->services[i].key, call->service);
		call->state = ANNOUNCED_NOT;
		call->up = fitness.up;
		call->total = fitness.total;
		strcpy(call->why, "lbr leave");
		leaving->count++;
	}
}

/* With the lock. 0, or -1 with a fault. */
static int withdraw(struct kernel *kernel, struct leaving *leaving,
		    struct fault *fault_out)
{
	struct fitnesses fitnesses = {0};
	struct announced_vip *vips;
	struct running running;
	struct config config;
	int rc = -1;

	leaving->is_news = announced_read(kernel, &vips, fault_out) > 0;
	free(vips);
	if (file_running(kernel, &config, NULL, fault_out))
		return -1;
	leaving->keys = config.announce;
	if (!announces(&config)) {
		/* A file before may have announced them. */
		rc = announce_leave(kernel, fault_out);
	} else if (!running_read(kernel, generation_current(kernel), &running,
				 fault_out)) {
		if (fitnesses_open(&fitnesses, &running, &config))
			fault(fault_out, "cannot withdraw VIPs: %s",
			      strerror(ENOMEM));
		else
			rc = announce_leave(kernel, fault_out);
		if (!rc && leaving->is_news)
			calls_fill(leaving, &running, &fitnesses);
		fitnesses_close(&fitnesses);
		running_free(&running);
	}
	config_free(&config);
	return rc;
}

/* All at once: the slowest takes HOOK_TIME. */
static void hooks_tell(const struct leaving *leaving)
{
	const char *program = leaving->keys.hook;
	pid_t *pids = calloc(leaving->count + 1, sizeof(*pids));
	struct fault said = {0};
	size_t i;

	for (i = 0; pids && i < leaving->count; i++) {
		pids[i] = hook_start(program, &leaving->calls[i], &said);
		if (pids[i] < 0)
			fault_warn(&said);
	}
	for (i = 0; pids && i < leaving->count; i++) {
		if (pids[i] > 0 && hook_wait(pids[i], program, &said))
			fault_warn(&said);
	}
	free(pids);
}

static void wait_for_routers(__u32 milliseconds)
{
	struct timespec left = {milliseconds / 1000,
				milliseconds % 1000 * 1000000L};
	char text[DURATION_SIZE];

	printf("waiting %s (leave-after) while packets still come\n",
	       duration_text(milliseconds, text));
	fflush(stdout);
	while (nanosleep(&left, &left) && errno == EINTR)
		;
}

int lbr_leave(const struct role *role, bool *announced, struct fault *fault_out)
{
	struct leaving leaving = {0};
	struct kernel kernel;
	int rc;

	rc = kernel_open(&kernel, role, ACCESS_CHANGE, fault_out);
	if (!rc && withdraw(&kernel, &leaving, fault_out))
		rc = -1;
	/* The rest takes long, and needs no lock. */
	kernel_close(&kernel);
	*announced = leaving.keys.line;
	if (!rc && *announced && leaving.is_news) {
		hooks_tell(&leaving);
		wait_for_routers(leaving.keys.leave_after);
	}
	free(leaving.calls);
	return rc;
}

int verb_leave(const struct role *role, const struct options *options)
{
	struct fault fault_is = {0};
	bool announced;
	int rc = lbr_leave(role, &announced, &fault_is);

	(void)options;
	if (!rc && !announced) {
		rc = fault(&fault_is, "cannot withdraw VIPs: the running file "
				      "has no key \"announce\", so lbr "
				      "announces none");
		fault_hint(&fault_is, "stop what sends packets here, and then "
				      "lbr down");
	} else if (!rc) {
		printf("all VIPs are withdrawn, until lbr up\n");
	}
	return rc ? cli_failed(role, &fault_is) : EXIT_DONE;
}

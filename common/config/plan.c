// SPDX-License-Identifier: GPL-2.0-only
#include "common/config/plan.h"

#include <stdlib.h>
#include <string.h>

#include "common/config/plan_draft.h"
#include "common/config/transition.h"
#include "common/config/write.h"

/*
 * Takes `config` for the next step. 1; 0: it is what runs, or cannot follow it;
 * -1 without memory.
 */
static int take(const struct config *running, const struct config *config,
		struct plan_step *step)
{
	char why[512];
	size_t size;
	FILE *out = open_memstream(&step->file, &size);

	if (!out)
		return -1;
	config_write(config, out);
	if (fclose(out))
		return -1;
	if (!config_parse("the plan", step->file, size, &step->config, why,
			  sizeof(why), NULL)) {
		if (memcmp(step->config.digest, running->digest,
			   sizeof(running->digest)) &&
		    !transition_step(running, &step->config, why, sizeof(why)))
			return 1;
		config_free(&step->config);
	}
	free(step->file);
	step->file = NULL;
	return 0;
}

/* In a round of more services than this, all change or none does. */
#define MOST_TRIED 64

/* A round of all services; if they conflict, of those that do not. */
static int try_round(struct draft *draft, struct plan_step *step)
{
	size_t count = draft->running->service_count +
		       draft->wanted->service_count,
	       i;
	int rc;

	memset(draft->left_out, 0, count * sizeof(*draft->left_out));
	draft_fill(draft);
	rc = take(draft->running, &draft->config, step);
	if (rc || count > MOST_TRIED)
		return rc;
	memset(draft->left_out, 1, count * sizeof(*draft->left_out));
	for (i = 0; i < count; i++) {
		draft->left_out[i] = false;
		draft_fill(draft);
		rc = take(draft->running, &draft->config, step);
		if (rc < 0)
			return rc;
		/* What changes nothing does no harm, either. */
		draft->left_out[i] = !rc;
		if (rc)
			plan_step_free(step);
	}
	draft_fill(draft);
	return take(draft->running, &draft->config, step);
}

static bool any_ends(const struct config *old, const struct config *new)
{
	const struct config_service *after;
	size_t i;

	for (i = 0; i < old->service_count; i++) {
		after = config_service_like(new, &old->services[i]);
		if (after && is_in_transition(&old->services[i]))
			return true;
	}
	return false;
}

/* The wanted file; before, with the senders that the other one has. */
static int try_wanted(struct draft *draft, struct plan_step *step)
{
	struct config wanted = *draft->wanted;
	int rc;

	wanted.lb_sources = draft->config.lb_sources;
	wanted.lb_source_count = draft->config.lb_source_count;
	rc = take(draft->running, &wanted, step);
	return rc ?: take(draft->running, draft->wanted, step);
}

/* All that changes is remembered from now on, so that anything may follow. */
static int try_remember(struct draft *draft, struct plan_step *step)
{
	struct config config = *draft->running;
	size_t i;

	config.services =
		calloc(config.service_count, sizeof(*config.services));
	if (!config.services)
		return -1;
	for (i = 0; i < config.service_count; i++) {
		config.services[i] = draft->running->services[i];
		config.services[i].flows = FLOWS_REMEMBER;
	}
	i = (size_t)take(draft->running, &config, step);
	free(config.services);
	return (int)i;
}

static int next(struct draft *draft, struct plan_step *step)
{
	int rc;

	draft->round = ROUND_BEGIN;
	rc = try_round(draft, step);
	if (rc)
		return rc;
	draft->round = ROUND_END;
	rc = try_round(draft, step);
	if (rc) {
		step->balancers_first = true;
		step->wait = any_ends(draft->running, &step->config)
				     ? WAIT_MOVED
				     : WAIT_UNUSED;
		return rc;
	}
	rc = try_wanted(draft, step);
	return rc ?: try_remember(draft, step);
}

int plan_next(const struct config *running, const struct config *wanted,
	      struct plan_step *step)
{
	struct draft draft = {.running = running, .wanted = wanted};
	int rc;

	*step = (struct plan_step){0};
	if (!memcmp(running->digest, wanted->digest, sizeof(wanted->digest)))
		return 0;
	rc = draft_open(&draft);
	if (!rc)
		rc = next(&draft, step);
	draft_free(&draft);
	return rc;
}

void plan_step_free(struct plan_step *step)
{
	config_free(&step->config);
	free(step->file);
	*step = (struct plan_step){0};
}

// SPDX-License-Identifier: GPL-2.0-only
#include "LoadBalancer/generation/condition.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <unistd.h>

#include "LoadBalancer/generation/states.h"
#include "common/base/address.h"
#include "common/config/state.h"
#include "common/core/abi_services.h"
#include "common/kernel/run_lock.h"

void conditions_open(struct conditions *conditions, const struct kernel *kernel,
		     const struct running *running)
{
	struct fault ignored;

	*conditions = (struct conditions){
		.running = running,
		.verdicts = kernel_map(kernel, "verdicts"),
		.is_stale = run_is_alive(kernel->role, &ignored) != 1,
	};
}

void conditions_close(struct conditions *conditions)
{
	if (conditions->verdicts >= 0)
		close(conditions->verdicts);
	conditions->verdicts = -1;
}

const char *finding_name(__u8 finding)
{
	return finding == FINDING_UP		     ? "up"
	       : finding == FINDING_APPLICATION_DOWN ? "application down"
	       : finding == FINDING_PATH_DOWN	     ? "path down"
						     : NULL;
}

const char *flows_name(const struct backend *backend)
{
	return backend->state == BACKEND_ACTIVE ? "new"
	       : backend->state == BACKEND_DOWN ? "none"
						: "its own";
}

/* What checks have found against it; "" if nothing. */
static void found_down(const struct conditions *conditions,
		       const struct backend *backend, char *text)
{
	char why[VERDICT_TEXT];

	*text = '\0';
	if (backend->finding != FINDING_APPLICATION_DOWN &&
	    backend->finding != FINDING_PATH_DOWN)
		return;
	states_why(conditions->verdicts, backend, why);
	snprintf(text, CONDITION_WHY, "%s%s",
		 *why ? why : finding_name(backend->finding),
		 conditions->is_stale ? "; when `lbr run` ended" : "");
}

void backend_condition(const struct conditions *conditions,
		       const struct backend *backend,
		       struct condition *condition)
{
	enum backend_status status = backend_status(backend);
	const char *wanted = status == STATUS_REMOVING	 ? "not in the file"
			     : status != STATUS_DRAINING ? ""
			     : backend->override & OVERRIDE_STATE
				     ? "set by hand"
				     : "as the file says";
	char found[CONDITION_WHY];

	found_down(conditions, backend, found);
	condition->status = (__u8)status;
	condition->state = status_name(status);
	condition->since =
		conditions->running->since[backend->id % BACKEND_INDEXES];
	snprintf(condition->why, CONDITION_WHY, "%.24s%s%.*s", wanted,
		 *wanted && *found ? "; found down: " : "", VERDICT_TEXT + 32,
		 found);
}

void service_condition(const struct conditions *conditions,
		       const struct running_service *service,
		       struct condition *condition)
{
	struct service_tally tally = {0};
	const struct backend *backend;
	const struct running *running = conditions->running;
	char address[INET6_ADDRSTRLEN];
	struct condition first = {0};
	__u16 removing = service->service.removing;
	size_t i, end;

	if (removing) {
		*condition = (struct condition){
			.status = SERVICE_REMOVING,
			.state = service_status_name(SERVICE_REMOVING),
			.since = running->since[(removing - 1) %
						BACKEND_INDEXES],
			.why = "not in the file",
		};
		return;
	}
	running_range(running, service->service.id, &i, &end);
	for (; i < end; i++) {
		size_t down = tally.down;

		backend = running->by_address[i];
		service_add(&tally, backend);
		if (down || tally.down == down)
			continue;
		backend_condition(conditions, backend, &first);
		addr_text(&backend->address, address);
	}
	condition->status = (__u8)service_status(&tally);
	condition->state = service_status_name(condition->status);
	condition->since = running->service_since[service->service.rr_turn];
	*condition->why = '\0';
	if (!tally.to_serve)
		snprintf(condition->why, CONDITION_WHY, "all backends drain");
	else if (tally.down)
		snprintf(condition->why, CONDITION_WHY,
			 "%zu of %zu down; %s: %.*s", tally.down,
			 tally.to_serve, address, (int)(CONDITION_WHY - 100),
			 first.why);
}

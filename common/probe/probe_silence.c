// SPDX-License-Identifier: GPL-2.0-only
/*
 * probe_silence.c - nothing has come back: what does that say?
 */
#include <net/if.h>
#include <linux/sockios.h>
#include <stdio.h>
#include <sys/ioctl.h>

#include "common/probe/probe_steps.h"
#include "common/base/reason.h"

static bool is_sent(enum reason reason)
{
	return reason == REASON_forwarded || reason == REASON_redirected;
}

/*
 * Answers come by an interface to which xdp_lbr is not attached, and so end in
 * this host's own stack, as clients' would: nothing is known about the backend.
 */
void probe_not_heard(struct probe *probe)
{
	const struct probe_path *path = probe->prober->path;
	char name[IF_NAMESIZE] = "?";

	if_indextoname((unsigned int)probe->elsewhere, name);
	snprintf(probe->result.why, sizeof(probe->result.why),
		 "not by an attached interface: its answers come by %s", name);
	if (!probe->told)
		path->unheard(path->data, probe, name);
	probe->told = true;
	probe_finish(probe);
}

/* The same of a direct probe, of whose packets less is known. */
static void direct_path_bad(struct probe *probe, const char *why)
{
	struct result *result = &probe->result;

	if (!probe->judges_path) {
		probe_bad(probe, why);
		return;
	}
	result->path = OUTCOME_BAD;
	snprintf(result->why, sizeof(result->why), "not reached: %s", why);
	probe_finish(probe);
}

/* Nothing has come back. Is it known where it was lost? */
void probe_path_bad(struct probe *probe, const char *why)
{
	const struct probe_path *path = probe->prober->path;
	struct result *result = &probe->result;
	enum reason reason;

	if (probe->direct) {
		direct_path_bad(probe, why);
		return;
	}
	reason = path->reason(path->data, &probe->key);
	if (is_sent(reason) && probe->elsewhere && !probe->heard) {
		probe_not_heard(probe);
		return;
	}
	if (reason == REASON_neighbour_unresolved ||
	    reason == REASON_neighbour_missing)
		path->ask(path->data, &probe->backend);
	/* A packet that did not reach the data path says nothing about it. */
	result->path = reason == REASON_NONE ? OUTCOME_UNKNOWN : OUTCOME_BAD;
	result->application = OUTCOME_UNKNOWN;
	if (is_sent(reason))
		snprintf(result->why, sizeof(result->why),
			 "sent to the backend; %s from the VIP", why);
	else if (reason < REASON_MAX)
		snprintf(result->why, sizeof(result->why), "not sent: %s",
			 reason_name(reason));
	else
		snprintf(result->why, sizeof(result->why),
			 "not sent: this host's kernel dropped it");
	probe_finish(probe);
}

/* A direct datagram has not, while no MAC address is known. */
static bool has_left(const struct probe *probe)
{
	int bytes;

	return !ioctl(probe->fd, SIOCOUTQ, &bytes) && !bytes;
}

void probe_silent(struct probe *probe)
{
	probe->result.silent = true;
	snprintf(probe->result.why, sizeof(probe->result.why),
		 "sent to the backend; silent");
	probe_finish(probe);
}

/*
 * Some servers never answer. If nobody refuses the datagram, that says nothing
 * against the server, and nothing about the path.
 */
bool probe_may_be_silent(const struct probe *probe)
{
	const struct probe_path *path = probe->prober->path;

	if (probe->check->no_answer != NO_ANSWER_UP)
		return false;
	if (probe->direct)
		return !probe->judges_path || has_left(probe);
	return is_sent(path->reason(path->data, &probe->key));
}

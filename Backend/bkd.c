// SPDX-License-Identifier: GPL-2.0-only
/*
 * bkd - the backend's tool
 *
 * The kernel holds the state; bkd reads and changes it and exits.
 */

#include "Backend/doctor/doctor.h"
#include "Backend/generation/generation.h"
#include "Backend/generation/layouts.h"
#include "Backend/host/host.h"
#include "Backend/verbs/verbs.h"
#include "common/cli/cli.h"
#include "common/core/reason.h"
#include "Backend/xdp_bkd.skel.h"

static const struct verb verbs[] = {
	VERB_UP,
	VERB_DOWN,
	VERB_APPLY,
	VERB_CHECK,
	VERB_SHOW("interfaces|restores|reasons"),
	VERB_TRACE,
	VERB_RUN(bkd_run),
	VERB_DOCTOR,
	{0},
};

static const char *const maps[] = {
	"generations", "restores", "sources",	 "control", "interfaces",
	"reasons",     "changes",  "fragments",	 "vlans",   "restore_counts",
	"lists",       "peers",	   "peer_links", "servers", "server_vips",
	"listeners",   NULL,
};

static const char *const inner[] = {"restores", "sources", "lists", "peers",
				    NULL};

static struct bpf_object *open_program(const struct constants *constants)
{
	struct xdp_bkd_bpf *skeleton = xdp_bkd_bpf__open();
	struct bpf_object *object;

	if (!skeleton)
		return NULL;
	*(struct constants *)&skeleton->rodata->constants = *constants;
	/* The object outlives the skeleton, which is no longer needed. */
	object = skeleton->obj;
	skeleton->obj = NULL;
	xdp_bkd_bpf__destroy(skeleton);
	return object;
}

const struct role tool = {
	.name = "bkd",
	.program = "xdp_bkd",
	.lookup = "bkd_listener",
	.sockets = "listeners",
	.in = IN_BKD,
	.what = "a backend's half of layer-4 load balancing with direct "
		"server return, in XDP",
	.listen = BKD_LISTEN,
	.verbs = verbs,
	.sections = bkd_sections,
	.examinations = bkd_examinations,
	.status_source = &bkd_status_source,
	.open = open_program,
	.maps = maps,
	.inner = inner,
	.reads = restore_layout_is_known,
	.concerns = bkd_concerns,
	.build = bkd_build,
	.diff = bkd_diff,
	.host = bkd_host,
	.settle = bkd_settle,
};

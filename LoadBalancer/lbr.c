// SPDX-License-Identifier: GPL-2.0-only
/*
 * lbr - the load balancer's tool
 *
 * The kernel holds the state; lbr reads and changes it and exits. Forwarding
 * needs no process.
 */

#include "LoadBalancer/doctor/doctor.h"
#include "LoadBalancer/generation/generation.h"
#include "LoadBalancer/generation/layouts.h"
#include "LoadBalancer/generation/queues.h"
#include "LoadBalancer/host/devices.h"
#include "LoadBalancer/host/host.h"
#include "LoadBalancer/host/nat.h"
#include "LoadBalancer/host/waiting.h"
#include "LoadBalancer/verbs/verbs.h"
#include "common/cli/cli.h"
#include "common/core/reason.h"
#include "common/host/announce.h"
#include "LoadBalancer/xdp_lbr.skel.h"

static const struct verb verbs[] = {
	VERB_UP,
	VERB_DOWN,
	VERB_APPLY,
	{"drain", NULL, "no new flows for BACKEND, until `undrain` or `apply`",
	 verb_drain, "BACKEND"},
	{"undrain", NULL, "new flows for BACKEND again", verb_undrain,
	 "BACKEND"},
	{"weight", NULL, "another share of new flows for BACKEND", verb_weight,
	 "BACKEND WEIGHT"},
	{"save", NULL, "print the running state, as a file for `apply`",
	 verb_save, NULL},
	VERB_CHECK,
	{"plan", "FILE",
	 "which steps lead from what runs to FILE; exit 4 if there are any",
	 verb_plan, NULL},
	{"leave", NULL,
	 "withdraw all VIPs, so that other load balancers get the packets",
	 verb_leave, NULL},
	VERB_SHOW("interfaces|services|backends|flows|next-hops|workers|"
		  "nat-sources|nat-flows|heartbeats|path-mtus|reasons"),
	{"forget", NULL, "forget the path MTUs that routers have reported",
	 verb_forget, "path-mtus"},
	VERB_TRACE,
	VERB_RUN(lbr_run),
	{"explain", "CLIENT SERVICE",
	 "what would become of a packet, step by step; nothing is changed",
	 verb_explain, NULL},
	{"watch", "FILTER",
	 "each decision, complete; FILTER: ADDRESS[:PORT] or a reason",
	 verb_watch, NULL},
	VERB_DOCTOR,
	{0},
};

/* A line each, so that two changes can each add one. */
/* clang-format off */
static const char *const maps[] = {
	"generations",
	"services",
	"backends",
	"tables",
	"first_chunk",
	"control",
	"interfaces",
	"flows",
	"flow_keys",
	"begun_flows",
	"inserted",
	"reasons",
	"service_reasons",
	"backend_counts",
	"changes",
	"rr_turns",
	"fragments",
	"path_mtus",
	"vlans",
	"vlan_ports",
	"file",
	"watch",
	"watched",
	"watch_lost",
	"secrets",
	"own_addresses",
	"checks",
	"check_veth",
	"verdicts",
	"heartbeats",
	"devices",
	"last_redirected",
	"route_mtus",
	"guesses",
	"programs",
	"pools",
	"pool_states",
	"workers",
	"queues",
	NULL,
};
/* clang-format on */

/* enum apart_program. */
static const char *const apart[] = {"xdp_lbr_workers", "xdp_lbr_send", NULL};

static const char *const inner[] = {"tables", "file", NULL};

static struct bpf_object *open_program(const struct constants *constants)
{
	struct xdp_lbr_bpf *skeleton = xdp_lbr_bpf__open();
	struct bpf_object *object;

	if (!skeleton)
		return NULL;
	*(struct constants *)&skeleton->rodata->constants = *constants;
	/* Only `lbr run` loads it. */
	bpf_program__set_autoload(skeleton->progs.xdp_lbr_check, false);
	/* The object outlives the skeleton, which is no longer needed. */
	object = skeleton->obj;
	skeleton->obj = NULL;
	xdp_lbr_bpf__destroy(skeleton);
	return object;
}

/* Every file has a service, and a load balancer serves them all. */
static int concerns(const struct kernel *kernel, const struct config *config,
		    struct fault *fault_out)
{
	(void)kernel;
	if (config->service_count)
		return 0;
	return fault(fault_out, "cannot attach xdp_lbr: %s names no service",
		     config->path);
}

static int prepare(struct kernel *kernel, const struct config *config,
		   struct fault *fault_out)
{
	/* `apply`: what runs is attached as it is. */
	if (!kernel->object && !kernel->attachment_count &&
	    kernel_attachments(kernel, fault_out))
		return -1;
	return announce_refuse(kernel, config, fault_out)
		       ?: nat_refuse(kernel, config, fault_out)
		       ?: devices_refuse(kernel, config, fault_out)
		       ?: lbr_prepare(kernel, config, fault_out);
}

static int carry_over(struct kernel *kernel, enum carry_stage stage,
		      struct fault *fault_out)
{
	int rc = lbr_carry_over(kernel, stage, fault_out);
	struct fault said;

	/* A failure here is no reason to detach the program again. */
	if (!rc && stage == CARRY_ATTACHED &&
	    lbr_redirect_refused(kernel, &said))
		fault_warn(&said);
	return rc;
}

static void settle(struct kernel *kernel, const struct config *config)
{
	lbr_neighbours_settle(kernel, config);
	lbr_claims_settle(kernel, config);
	nat_settle(kernel, config);
	workers_settle(kernel, config);
	waiting_settle(kernel, config);
	if (kernel->object) /* `up` */
		announce_return(kernel);
}

const struct role tool = {
	.name = "lbr",
	.program = "xdp_lbr",
	.apart = apart,
	.in = IN_LBR,
	.what = "layer-4 load balancing with direct server return, in XDP",
	.listen = LBR_LISTEN,
	.verbs = verbs,
	.sections = lbr_sections,
	.examinations = lbr_examinations,
	.status_source = &lbr_status_source,
	.open = open_program,
	.maps = maps,
	.inner = inner,
	.prepare = prepare,
	.reads = layout_is_known,
	.carry_over = carry_over,
	.concerns = concerns,
	.build = lbr_build,
	.diff = lbr_diff,
	.host = lbr_host,
	.notes = lbr_notes,
	.settle = settle,
	.leave = lbr_leave,
};

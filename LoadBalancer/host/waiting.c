// SPDX-License-Identifier: GPL-2.0-only
/*
 * waiting.c - see waiting.h
 *
 * The kernel keeps the program as long as it is attached. All its maps are
 * xdp_lbr's.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "LoadBalancer/host/waiting.h"
#include "common/host/filters.h"
#include "common/kernel/clsact.h"
#include "LoadBalancer/datapath/waiting.skel.h"

bool waiting_is_wanted(const struct config *config)
{
	const struct method *method;
	size_t i;

	for (i = 0; i < config->service_count; i++) {
		method = &config->services[i].method;
		if (!method_is_for_kernel(method) && !method_returns(method))
			return true;
	}
	return false;
}

/* fd of the loaded program, or -1 with a fault. */
static int waiting_load(const struct kernel *kernel, struct fault *fault_out)
{
	static const char *const none[] = {NULL};
	struct waiting_bpf *skeleton = waiting_bpf__open();
	struct constants constants;
	int program = -1;

	if (skeleton) {
		kernel_constants(kernel, &constants);
		*(struct constants *)&skeleton->rodata->constants = constants;
		if (!kernel_share_maps(kernel, skeleton->obj, none, none) &&
		    !waiting_bpf__load(skeleton))
			program = fcntl(
				bpf_program__fd(skeleton->progs.lbr_waiting),
				F_DUPFD_CLOEXEC, 3);
	}
	if (program < 0)
		fault(fault_out, "cannot load lbr_waiting: %s",
		      strerror(errno));
	waiting_bpf__destroy(skeleton);
	return program;
}

#define PROGRAM "lbr_waiting"

static int attach(struct kernel *kernel, const char *name, bool missing,
		  int program, struct fault *fault_out)
{
	/* With each new xdp_lbr, for its maps may be other ones. */
	if (!missing && !kernel->object)
		return 0;
	if (clsact_attach(kernel, name, CLSACT_WAITING, program, fault_out))
		return -1;
	if (missing)
		printf("%s: " PROGRAM " attached\n", name);
	return 0;
}

static int waiting_behind(struct kernel *kernel, const char *const *names,
			  struct fault *fault_out)
{
	bool missing[MAX_INTERFACES] = {false}, is_there = true;
	int program, i, rc = 0;

	for (i = 0; names[i]; i++) {
		missing[i] = filter_is_missing(kernel, names[i], CLSACT_WAITING,
					       PROGRAM);
		is_there = is_there && !missing[i];
	}
	if (is_there && !kernel->object)
		return 0;
	program = waiting_load(kernel, fault_out);
	if (program < 0)
		return -1;
	for (i = 0; !rc && names[i]; i++)
		rc = attach(kernel, names[i], missing[i], program, fault_out);
	close(program);
	return rc;
}

/*
 * On a kernel without clsact, services are served as well: what waits is
 * dropped.
 */
int waiting_host(struct kernel *kernel, const struct config *config,
		 const char *const *names, struct fault *fault_out)
{
	bool is_there = waiting_is_wanted(config);
	struct fault said;
	int i;

	if (is_there && waiting_behind(kernel, names, &said)) {
		/* `run` would say it again and again. */
		if (!kernel->again)
			fault_warn(&said);
		is_there = false;
	}
	/* `run` leaves one alone that somebody has removed twice. */
	for (i = 0; is_there && names[i]; i++)
		is_there = clsact_attached(names[i], CLSACT_WAITING);
	if (control_get(kernel, CONTROL_WAITING) == is_there ||
	    !control_set(kernel, CONTROL_WAITING, is_there))
		return 0;
	return fault(fault_out, "cannot write to `control`: %s",
		     strerror(errno));
}

void waiting_settle(struct kernel *kernel, const struct config *config)
{
	filters_settle(kernel, CLSACT_WAITING, PROGRAM,
		       waiting_is_wanted(config));
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * own_tc.c - key `restore: tc`: bkd_in and bkd_out
 *
 * They have a map of their own, which is pinned, so that flows outlive an `up`;
 * the others are xdp_bkd's. The kernel keeps the programs as long as they are
 * attached.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "Backend/host/host.h"
#include "common/host/filters.h"
#include "common/kernel/clsact.h"
#include "Backend/datapath/own_address.skel.h"

static const char *const own_maps[] = {"own_flows", NULL};
/* Of each load. */
static const char *const fresh_maps[] = {"parsed", "written", NULL};

/* By enum clsact. */
static const char *const names[] = {"bkd_in", "bkd_out"};
#define DIRECTIONS 2

/* fds of the loaded programs. 0, or -1 with a fault. */
static int programs_load(const struct kernel *kernel, int programs[DIRECTIONS],
			 struct fault *fault_out)
{
	struct own_address_bpf *skeleton = own_address_bpf__open();
	struct constants constants;
	int rc = -1;

	kernel_constants(kernel, &constants);
	if (skeleton)
		*(struct constants *)&skeleton->rodata->constants = constants;
	if (skeleton &&
	    !kernel_share_maps(kernel, skeleton->obj, own_maps, fresh_maps) &&
	    !own_address_bpf__load(skeleton) &&
	    !kernel_pin_maps(kernel, skeleton->obj, own_maps)) {
		programs[CLSACT_IN] =
			fcntl(bpf_program__fd(skeleton->progs.bkd_in),
			      F_DUPFD_CLOEXEC, 3);
		programs[CLSACT_OUT] =
			fcntl(bpf_program__fd(skeleton->progs.bkd_out),
			      F_DUPFD_CLOEXEC, 3);
		rc = 0;
	}
	if (rc)
		fault(fault_out, "cannot load bkd_in and bkd_out: %s",
		      strerror(errno));
	own_address_bpf__destroy(skeleton);
	return rc;
}

static int attach(struct kernel *kernel, const char *interface, int where,
		  bool missing, int program, struct fault *fault_out)
{
	if (!missing && !kernel->object)
		return 0;
	if (clsact_attach(kernel, interface, where, program, fault_out))
		return -1;
	if (missing)
		printf("%s: %s attached\n", interface, names[where]);
	return 0;
}

int own_tc_host(struct kernel *kernel, struct fault *fault_out)
{
	bool missing[MAX_INTERFACES][DIRECTIONS], any = false;
	int programs[DIRECTIONS] = {-1, -1}, i, where, rc = 0;
	const struct attachment *on = kernel->attachments;

	for (i = 0; i < kernel->attachment_count; i++) {
		for (where = 0; where < DIRECTIONS; where++) {
			missing[i][where] = filter_is_missing(
				kernel, on[i].name, where, names[where]);
			any = any || missing[i][where];
		}
	}
	/* With each new xdp_bkd, for its maps may be other ones. */
	if (!kernel->object && !any)
		return 0;
	if (programs_load(kernel, programs, fault_out))
		return -1;
	for (i = 0; !rc && i < kernel->attachment_count; i++) {
		for (where = 0; !rc && where < DIRECTIONS; where++)
			rc = attach(kernel, on[i].name, where,
				    missing[i][where], programs[where],
				    fault_out);
	}
	for (where = 0; where < DIRECTIONS; where++)
		close(programs[where]);
	return rc;
}

void own_tc_remove(struct kernel *kernel)
{
	int where;

	for (where = 0; where < DIRECTIONS; where++)
		filters_settle(kernel, where, names[where], false);
}

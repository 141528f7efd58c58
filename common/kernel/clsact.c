// SPDX-License-Identifier: GPL-2.0-only
/*
 * clsact.c - see clsact.h
 *
 * By a filter, and not by a link (tcx), which Linux has from 6.6 on. The filter
 * outlives the tool. The qdisc clsact is shared with others: it is removed only
 * if it was made here, and no filter is left.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>

#include "common/kernel/clsact.h"

/* Our own: of two filters of one priority, the kernel would call both. */
#define HANDLE	 1
#define PRIORITY 53265

#define HOOK(name, index)                                                      \
	LIBBPF_OPTS(bpf_tc_hook, name, .ifindex = (int)(index),                \
		    .attach_point = BPF_TC_INGRESS)
#define FILTER(name, ...)                                                      \
	LIBBPF_OPTS(bpf_tc_opts, name, .handle = HANDLE, .priority = PRIORITY, \
		    ##__VA_ARGS__)

static int quiet(enum libbpf_print_level level, const char *format,
		 va_list arguments)
{
	(void)level;
	(void)format;
	(void)arguments;
	return 0;
}

__u32 clsact_attached(const char *name)
{
	HOOK(hook, if_nametoindex(name));
	FILTER(filter);
	libbpf_print_fn_t before = libbpf_set_print(quiet);
	int rc = bpf_tc_query(&hook, &filter);

	libbpf_set_print(before);
	return rc ? 0 : filter.prog_id;
}

int clsact_attach(struct kernel *kernel, const char *name, int program,
		  struct fault *fault_out)
{
	HOOK(hook, if_nametoindex(name));
	FILTER(filter, .prog_fd = program, .flags = BPF_TC_F_REPLACE);
	libbpf_print_fn_t before = libbpf_set_print(quiet);
	int made = bpf_tc_hook_create(&hook), rc = made;

	if (!rc || rc == -EEXIST)
		rc = change_note(kernel, "filter", name, made ? "" : "clsact",
				 fault_out)
			     ?: bpf_tc_attach(&hook, &filter);
	libbpf_set_print(before);
	if (!rc)
		return 0;
	fault(fault_out, "cannot attach to %s behind XDP (clsact): %s", name,
	      strerror(rc < -1 ? -rc : errno));
	return fault_hint(fault_out, "tc filter show dev %s ingress", name);
}

int clsact_undo(const struct change *change, struct fault *fault_out)
{
	unsigned int index = if_nametoindex(change->what);
	HOOK(hook, index);
	FILTER(filter);
	libbpf_print_fn_t before;
	int rc;

	if (!index)
		return 0;
	before = libbpf_set_print(quiet);
	rc = bpf_tc_detach(&hook, &filter);
	/* Refused by the kernel while there are other filters. */
	if (!strcmp(change->before, "clsact")) {
		hook.attach_point = BPF_TC_INGRESS | BPF_TC_EGRESS;
		bpf_tc_hook_destroy(&hook);
	}
	libbpf_set_print(before);
	if (rc && rc != -ENOENT && rc != -EINVAL)
		return fault(fault_out, "cannot detach from %s (clsact): %s",
			     change->what, strerror(-rc));
	printf("%s: lbr_nat detached\n", change->what);
	return 0;
}

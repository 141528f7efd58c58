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
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/kernel/clsact.h"
#include "common/net/netlink_ask.h"

/* Our own: of two filters of one priority, the kernel would call both. */
#define HANDLE		 1
#define PRIORITY	 53265
#define PRIORITY_FIRST	 53264
#define PRIORITY_WAITING 53263

/* `before` of a change: the qdisc was made here. */
#define MADE "clsact"

static const struct {
	const char *kind; /* of the change */
	const char *word; /* tc's */
	enum bpf_tc_attach_point point;
	__u32 priority;
} points[] = {
	[CLSACT_IN] = {"filter", "ingress", BPF_TC_INGRESS, PRIORITY},
	[CLSACT_OUT] = {"filter-out", "egress", BPF_TC_EGRESS, PRIORITY},
	[CLSACT_WORKERS_IN] = {"workers-in", "ingress", BPF_TC_INGRESS,
			       PRIORITY_FIRST},
	[CLSACT_WORKERS_OUT] = {"workers-out", "egress", BPF_TC_EGRESS,
				PRIORITY_FIRST},
	[CLSACT_WAITING] = {"waiting", "ingress", BPF_TC_INGRESS,
			    PRIORITY_WAITING},
};

static const __u32 parents[] = {
	TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_INGRESS),
	TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_EGRESS),
};

#define HOOK(name, index, where)                                               \
	LIBBPF_OPTS(bpf_tc_hook, name, .ifindex = (int)(index),                \
		    .attach_point = points[where].point)
#define FILTER(name, where, ...)                                               \
	LIBBPF_OPTS(bpf_tc_opts, name, .handle = HANDLE,                       \
		    .priority = points[where].priority, ##__VA_ARGS__)

static int quiet(enum libbpf_print_level level, const char *format,
		 va_list arguments)
{
	(void)level;
	(void)format;
	(void)arguments;
	return 0;
}

const char *clsact_kind(enum clsact where)
{
	return points[where].kind;
}

__u32 clsact_attached(const char *name, enum clsact where)
{
	HOOK(hook, if_nametoindex(name), where);
	FILTER(filter, where);
	libbpf_print_fn_t before = libbpf_set_print(quiet);
	int rc = bpf_tc_query(&hook, &filter);

	libbpf_set_print(before);
	return rc ? 0 : filter.prog_id;
}

/* Was the qdisc there made for a program of ours, whichever? */
static bool is_made(const struct kernel *kernel, const char *name)
{
	struct change change;
	int where;

	for (where = 0; where < CLSACTS; where++) {
		if (change_find(kernel, points[where].kind, name, &change) &&
		    !strcmp(change.before, MADE))
			return true;
	}
	return false;
}

struct noted {
	const char *kind, *name;
};

static bool is_noted(const struct change *change, const void *data)
{
	const struct noted *noted = data;

	return !strcmp(change->kind, noted->kind) &&
	       !strcmp(change->what, noted->name);
}

int clsact_attach(struct kernel *kernel, const char *name, enum clsact where,
		  int program, struct fault *fault_out)
{
	HOOK(hook, if_nametoindex(name), where);
	FILTER(filter, where, .prog_fd = program, .flags = BPF_TC_F_REPLACE);
	const struct noted noted = {points[where].kind, name};
	libbpf_print_fn_t before = libbpf_set_print(quiet);
	int made = bpf_tc_hook_create(&hook), rc = made;

	/* Somebody else's, which was noted, is gone. */
	if (!made)
		changes_forget(kernel, is_noted, &noted);
	if (!rc || rc == -EEXIST)
		rc = change_note(kernel, points[where].kind, name,
				 made && !is_made(kernel, name) ? "" : MADE,
				 fault_out)
			     ?: bpf_tc_attach(&hook, &filter);
	libbpf_set_print(before);
	if (!rc)
		return 0;
	fault(fault_out, "cannot attach to %s behind XDP (clsact): %s", name,
	      strerror(rc < -1 ? -rc : errno));
	return fault_hint(fault_out, "tc filter show dev %s %s", name,
			  points[where].word);
}

/* Counts filters; not the rows that say which priorities and chains there are.
 */
static int filter_answer(const struct nlmsghdr *message, void *data)
{
	const struct tcmsg *filter = mnl_nlmsg_get_payload(message);
	int *count = data;

	*count += filter->tcm_handle != 0;
	return MNL_CB_OK;
}

static void count_empty(void *data)
{
	*(int *)data = 0;
}

/* The kernel would remove the qdisc with other people's filters. */
static bool has_filters(unsigned int ifindex)
{
	char buffer[MNL_NLMSG_HDRLEN + 64];
	struct nlmsghdr *question;
	struct tcmsg *filters;
	int i, count = 0;

	for (i = 0; !count && i < 2; i++) {
		memset(buffer, 0, sizeof(buffer));
		question = mnl_nlmsg_put_header(buffer);
		question->nlmsg_type = RTM_GETTFILTER;
		question->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
		filters =
			mnl_nlmsg_put_extra_header(question, sizeof(*filters));
		filters->tcm_ifindex = (int)ifindex;
		filters->tcm_parent = parents[i];
		if (netlink_dump(NETLINK_ROUTE, question, filter_answer, &count,
				 count_empty))
			return true;
	}
	return count;
}

/* The name of a program, from its id. */
static void name_of(__u32 id, char name[BPF_OBJ_NAME_LEN])
{
	struct bpf_prog_info info = {0};
	__u32 length = sizeof(info);
	int program = bpf_prog_get_fd_by_id(id);

	if (program >= 0)
		bpf_obj_get_info_by_fd(program, &info, &length);
	if (program >= 0)
		close(program);
	memcpy(name, info.name, BPF_OBJ_NAME_LEN);
}

static enum clsact clsact_of(const char *kind)
{
	enum clsact where = 0;

	while (where < CLSACTS - 1 && strcmp(kind, points[where].kind) != 0)
		where++;
	return where;
}

int clsact_undo(const struct change *change, struct fault *fault_out)
{
	enum clsact where = clsact_of(change->kind);
	unsigned int index = if_nametoindex(change->what);
	__u32 id = index ? clsact_attached(change->what, where) : 0;
	char name[BPF_OBJ_NAME_LEN];
	HOOK(hook, index, where);
	FILTER(filter, where);
	libbpf_print_fn_t before;
	int rc = 0;

	name_of(id, name);
	before = libbpf_set_print(quiet);
	if (id)
		rc = bpf_tc_detach(&hook, &filter);
	if (index && !strcmp(change->before, MADE) && !has_filters(index)) {
		hook.attach_point = BPF_TC_INGRESS | BPF_TC_EGRESS;
		bpf_tc_hook_destroy(&hook);
	}
	libbpf_set_print(before);
	if (rc && rc != -ENOENT && rc != -EINVAL)
		return fault(fault_out, "cannot detach from %s (clsact): %s",
			     change->what, strerror(-rc));
	if (id)
		printf("%s: %s detached\n", change->what, name);
	return 0;
}

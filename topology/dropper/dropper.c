// SPDX-License-Identifier: GPL-2.0-only
/*
 * dropper - attaches xdp_dropper to an interface, shows what it has counted,
 * and takes it away again
 *
 * Nothing is pinned: the programs of an interface are asked for, and theirs is
 * the map. So the dropper goes with its interface, or its namespace.
 */
#include "arguments.h"
#include "dropper.h"
#include "filters.h"
#include "topology/dropper/xdp_dropper.skel.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/if_link.h>
#include <net/if.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

struct interface {
	const char *name;
	int index;
};

/* The tc hook for packets that leave by an interface, and our filter there. */
#define HOOK(name, on)                                                         \
	LIBBPF_OPTS(bpf_tc_hook, name, .ifindex = (on)->index,                 \
		    .attach_point = BPF_TC_EGRESS)
#define PLACE(name)                                                            \
	LIBBPF_OPTS(bpf_tc_opts, name, .handle = 1, .priority = 53264)

/* The id of the program there, whoever attached it; 0: none; or -errno. */
static int program_on(const struct interface *on, bool out)
{
	HOOK(hook, on);
	PLACE(opts);
	__u32 id = 0;
	int error = out ? bpf_tc_query(&hook, &opts)
			: bpf_xdp_query_id(on->index, 0, &id);

	/* There is no such filter, or no clsact qdisc. */
	if (out && (error == -ENOENT || error == -EINVAL))
		return 0;
	if (error)
		return error;
	return (int)(out ? opts.prog_id : id);
}

/* The map of a program, if that is a dropper; 0: it is not; or -errno. */
static int map_of(int program, bool out)
{
	struct bpf_prog_info info = {0};
	struct bpf_map_info map_info = {0};
	__u32 length = sizeof(info), ids[8] = {0};

	info.nr_map_ids = sizeof(ids) / sizeof(*ids);
	info.map_ids = (unsigned long)ids;
	if (bpf_obj_get_info_by_fd(program, &info, &length))
		return -errno;
	if (strcmp(info.name, out ? "tc_dropper" : "xdp_dropper"))
		return 0;
	for (__u32 i = 0; i < info.nr_map_ids && i < 8; i++) {
		int map = bpf_map_get_fd_by_id(ids[i]);

		length = sizeof(map_info);
		if (map < 0 || bpf_obj_get_info_by_fd(map, &map_info, &length))
			return -errno;
		if (!strcmp(map_info.name, "dropper") &&
		    map_info.value_size == sizeof(struct dropper))
			return map;
	}
	return 0;
}

/* 1: a dropper is attached there, with this state; 0: none is; or -errno. */
static int dropper_on(const struct interface *on, bool out,
		      struct dropper *dropper)
{
	__u32 zero = 0;
	int program = program_on(on, out), map;

	if (program <= 0)
		return program;
	program = bpf_prog_get_fd_by_id(program);
	if (program < 0)
		return -errno;
	map = map_of(program, out);
	if (map <= 0)
		return map;
	return bpf_map_lookup_elem(map, &zero, dropper) ? -errno : 1;
}

static int failed(const char *what, const struct interface *on, int error)
{
	complain(what, on->name, strerror(-error),
		 "as root, on Linux 5.10 or later");
	return 1;
}

/* 0, or -errno. */
static int attach_out(const struct interface *on, int program,
		      struct dropper *dropper)
{
	HOOK(hook, on);
	PLACE(opts);
	int error = bpf_tc_hook_create(&hook);

	if (error && error != -EEXIST)
		return error;
	dropper->made_qdisc = !error;
	opts.prog_fd = program;
	error = bpf_tc_attach(&hook, &opts);
	if (error && dropper->made_qdisc) {
		hook.attach_point = BPF_TC_INGRESS | BPF_TC_EGRESS;
		bpf_tc_hook_destroy(&hook);
	}
	return error;
}

static int attach_with(struct xdp_dropper_bpf *skel, const struct interface *on,
		       bool out, struct dropper *dropper)
{
	int map = bpf_map__fd(skel->maps.dropper);
	__u32 zero = 0;
	int error;

	if (bpf_map_update_elem(map, &zero, dropper, BPF_ANY))
		return -errno;
	if (!out)
		return bpf_xdp_attach(
			on->index, bpf_program__fd(skel->progs.xdp_dropper),
			XDP_FLAGS_SKB_MODE | XDP_FLAGS_UPDATE_IF_NOEXIST, NULL);
	error = attach_out(on, bpf_program__fd(skel->progs.tc_dropper),
			   dropper);
	/* Nothing has been counted yet, or almost nothing. */
	if (!error && bpf_map_update_elem(map, &zero, dropper, BPF_ANY))
		return -errno;
	return error;
}

static int attach(const struct interface *on, bool out, struct dropper *dropper)
{
	struct xdp_dropper_bpf *skel;
	struct dropper other;
	int error = dropper_on(on, out, &other);

	if (error < 0)
		return failed("attach to", on, error);
	if (error) {
		complain("attach to", on->name, "a dropper is attached",
			 "topology/dropper/dropper detach IF, then again");
		return 1;
	}
	if (!out && program_on(on, false)) {
		complain("attach to", on->name, "it has an XDP program already",
			 "--direction out, on the other end of the wire");
		return 1;
	}
	skel = xdp_dropper_bpf__open_and_load();
	error = skel ? attach_with(skel, on, out, dropper) : -errno;
	xdp_dropper_bpf__destroy(skel);
	return error ? failed("attach to", on, error) : 0;
}

static void show_one(const struct interface *on, bool out,
		     const struct dropper *dropper)
{
	printf("%s %s %s", on->name, out ? "out" : "in",
	       dropper->mode < MODE_MAX ? modes[dropper->mode] : "?");
	if (dropper->mode == MODE_NTH || dropper->mode == MODE_CORRUPT)
		printf(" --every %u", dropper->every);
	if (dropper->mode == MODE_RATE)
		printf(" --percent %u", dropper->percent);
	printf(": %llu seen, %llu dropped, %llu corrupted\n", dropper->seen,
	       dropper->dropped, dropper->corrupted);
}

static int none(const char *what, const struct interface *on)
{
	complain(what, on->name, "no dropper is attached",
		 "topology/dropper/dropper attach IF");
	return 1;
}

static int show(const struct interface *on)
{
	struct dropper dropper;
	int found = 0;

	for (int out = 0; out <= 1; out++) {
		int state = dropper_on(on, out, &dropper);

		if (state < 0)
			return failed("show", on, state);
		if (state)
			show_one(on, out, &dropper);
		found |= state;
	}
	return found ? 0 : none("show", on);
}

/* The qdisc stays if somebody else has a filter there by now. */
static int detach_out(const struct interface *on, bool made_qdisc)
{
	HOOK(hook, on);
	PLACE(opts);
	int error = bpf_tc_detach(&hook, &opts), left;

	if (error || !made_qdisc)
		return error;
	left = filters_are_left(on->index);
	if (left)
		return left < 0 ? left : 0;
	hook.attach_point = BPF_TC_INGRESS | BPF_TC_EGRESS;
	return bpf_tc_hook_destroy(&hook);
}

static int detach_one(const struct interface *on, bool out,
		      const struct dropper *dropper)
{
	return out ? detach_out(on, dropper->made_qdisc)
		   : bpf_xdp_detach(on->index, XDP_FLAGS_SKB_MODE, NULL);
}

static int detach(const struct interface *on)
{
	struct dropper dropper;
	int found = 0;

	for (int out = 0; out <= 1; out++) {
		int state = dropper_on(on, out, &dropper), error = 0;

		if (state > 0)
			error = detach_one(on, out, &dropper);
		if (state < 0 || error)
			return failed("detach from", on, error ? error : state);
		if (state)
			show_one(on, out, &dropper);
		found |= state;
	}
	return found ? 0 : none("detach from", on);
}

int main(int argc, char **argv)
{
	struct interface on = {0};
	struct dropper dropper;
	int status;
	bool out;

	libbpf_set_print(NULL);
	if (argc == 2 &&
	    (!strcmp(argv[1], "--help") || !strcmp(argv[1], "help"))) {
		fputs(usage, stdout);
		return 0;
	}
	if (argc < 3) {
		fputs(usage, stderr);
		return 2;
	}
	on.name = argv[2];
	on.index = if_nametoindex(on.name);
	if (!on.index) {
		complain(argv[1], on.name, "no such interface", "ip link");
		return 1;
	}
	if (!strcmp(argv[1], "attach")) {
		status = arguments(&dropper, &out, argc - 2, argv + 2);
		return status ? status : attach(&on, out, &dropper);
	}
	if (argc > 3)
		return misused("read", argv[3], "one interface, and no more");
	if (!strcmp(argv[1], "show"))
		return show(&on);
	if (!strcmp(argv[1], "detach"))
		return detach(&on);
	return misused("run", argv[1], "no such verb");
}

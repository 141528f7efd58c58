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

/* The tc hook of what goes out by an interface, and our place there. */
#define HOOK(name, on)                                                         \
	LIBBPF_OPTS(bpf_tc_hook, name, .ifindex = (on)->index,                 \
		    .attach_point = BPF_TC_EGRESS)
#define PLACE(name)                                                            \
	LIBBPF_OPTS(bpf_tc_opts, name, .handle = 1, .priority = 53264)

/* The program there, whosever it is; 0: none. */
static __u32 program_on(const struct interface *on, bool out)
{
	HOOK(hook, on);
	PLACE(opts);
	__u32 id = 0;

	if (out)
		return bpf_tc_query(&hook, &opts) ? 0 : opts.prog_id;
	return bpf_xdp_query_id(on->index, 0, &id) ? 0 : id;
}

/* The map of the dropper that is attached there, or -1. */
static int map_on(const struct interface *on, bool out)
{
	struct bpf_prog_info info = {0};
	struct bpf_map_info map_info = {0};
	__u32 length = sizeof(info), ids[8] = {0};
	int program = bpf_prog_get_fd_by_id(program_on(on, out));

	info.nr_map_ids = sizeof(ids) / sizeof(*ids);
	info.map_ids = (unsigned long)ids;
	if (program < 0 || bpf_obj_get_info_by_fd(program, &info, &length) ||
	    strcmp(info.name, out ? "tc_dropper" : "xdp_dropper"))
		return -1;
	for (__u32 i = 0; i < info.nr_map_ids && i < 8; i++) {
		int map = bpf_map_get_fd_by_id(ids[i]);

		length = sizeof(map_info);
		if (map >= 0 &&
		    !bpf_obj_get_info_by_fd(map, &map_info, &length) &&
		    !strcmp(map_info.name, "dropper") &&
		    map_info.value_size == sizeof(struct dropper))
			return map;
	}
	return -1;
}

static bool dropper_on(const struct interface *on, bool out,
		       struct dropper *dropper)
{
	__u32 zero = 0;
	int map = map_on(on, out);

	return map >= 0 && !bpf_map_lookup_elem(map, &zero, dropper);
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
	/* Nothing is counted by then, or next to nothing. */
	if (!error && bpf_map_update_elem(map, &zero, dropper, BPF_ANY))
		return -errno;
	return error;
}

static int attach(const struct interface *on, bool out, struct dropper *dropper)
{
	struct xdp_dropper_bpf *skel;
	int error;

	if (map_on(on, out) >= 0) {
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
	if (error)
		complain("attach to", on->name, strerror(-error),
			 "as root, on Linux 5.10 or later");
	return error ? 1 : 0;
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

	for (int out = 0; out <= 1; out++)
		if (dropper_on(on, out, &dropper)) {
			show_one(on, out, &dropper);
			found = 1;
		}
	return found ? 0 : none("show", on);
}

static int detach_out(const struct interface *on, bool made_qdisc)
{
	HOOK(hook, on);
	PLACE(opts);
	int error = bpf_tc_detach(&hook, &opts);

	if (error || !made_qdisc)
		return error;
	hook.attach_point = BPF_TC_INGRESS | BPF_TC_EGRESS;
	return bpf_tc_hook_destroy(&hook);
}

static int detach(const struct interface *on)
{
	struct dropper dropper;
	int found = 0;

	for (int out = 0; out <= 1; out++) {
		int error;

		if (!dropper_on(on, out, &dropper))
			continue;
		error = out ? detach_out(on, dropper.made_qdisc)
			    : bpf_xdp_detach(on->index, XDP_FLAGS_SKB_MODE,
					     NULL);
		if (error) {
			complain("detach from", on->name, strerror(-error),
				 "as root");
			return 1;
		}
		show_one(on, out, &dropper);
		found = 1;
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

// SPDX-License-Identifier: GPL-2.0-only
/*
 * apart.c - the programs that a role's program calls
 *
 * They are in its object and share its maps. The map `programs` is made anew by
 * each load, so that a program never calls one of another load, whose maps for
 * a packet under way are others.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <string.h>

#include "common/kernel/kernel.h"

void kernel_apart_leave(const struct role *role, struct bpf_object *object)
{
	const char *const *name = role->apart;

	for (; name && *name; name++)
		bpf_program__set_autoload(
			bpf_object__find_program_by_name(object, *name), false);
}

static void take_frags(struct bpf_program *program)
{
	bpf_program__set_flags(program, bpf_program__flags(program) |
						BPF_F_XDP_HAS_FRAGS);
}

void kernel_apart_prepare(const struct role *role, struct bpf_object *object,
			  struct bpf_program *program,
			  const struct constants *constants)
{
	const char *const *name = role->apart;

	if (!constants->has_apart)
		kernel_apart_leave(role, object);
	/*
	 * SEC("xdp.frags") would set this flag permanently: libbpf has no way
	 * to clear it. The kernel requires it to be the same for programs that
	 * call each other, or share a devmap.
	 */
	if (!constants->has_frags)
		return;
	take_frags(program);
	for (; name && *name; name++)
		take_frags(bpf_object__find_program_by_name(object, *name));
}

int kernel_apart_fill(const struct role *role, struct bpf_object *object,
		      const struct constants *constants,
		      struct fault *fault_out)
{
	int map, program;
	__u32 i;

	if (!role->apart || !constants->has_apart)
		return 0;
	map = bpf_map__fd(bpf_object__find_map_by_name(object, "programs"));
	for (i = 0; role->apart[i]; i++) {
		program = bpf_program__fd(bpf_object__find_program_by_name(
			object, role->apart[i]));
		if (bpf_map_update_elem(map, &i, &program, BPF_ANY))
			return fault(fault_out,
				     "cannot place the program %s: "
				     "%s",
				     role->apart[i], strerror(errno));
	}
	return 0;
}

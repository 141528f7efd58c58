// SPDX-License-Identifier: GPL-2.0-only
/*
 * load.c - load the program, with the maps that are pinned
 *
 * A pinned map of the same shape is reused, so a new program sees what the old
 * one left. A load changes nothing that runs.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/core/abi_packets.h"
#include "common/core/flows.h"
#include "common/kernel/generation.h"
#include "common/kernel/kernel.h"

/* libbpf's last warning: the cause of a failed load. */
static char libbpf_said[400];

static int remember_warning(enum libbpf_print_level level, const char *format,
			    va_list arguments)
{
	char line[400];

	if (level != LIBBPF_WARN)
		return 0;
	vsnprintf(line, sizeof(line), format, arguments);
	line[strcspn(line, "\n")] = '\0';
	/* The first line names the fault, the rest its consequences. */
	if (!*libbpf_said)
		snprintf(libbpf_said, sizeof(libbpf_said), "%s", line);
	return 0;
}

/* What libbpf puts before the name of a variable that has a map of its own. */
#define VARIABLE ".data."

const char *kernel_map_name(const struct bpf_map *map)
{
	const char *name = bpf_map__name(map);

	if (!bpf_map__is_internal(map))
		return name;
	if (strncmp(name, VARIABLE, strlen(VARIABLE)) != 0)
		return NULL;
	return name + strlen(VARIABLE);
}

struct bpf_map *kernel_object_map(const struct kernel *kernel, const char *name)
{
	struct bpf_map *map =
		bpf_object__find_map_by_name(kernel->object, name);
	char variable[64];

	if (map)
		return map;
	snprintf(variable, sizeof(variable), VARIABLE "%s", name);
	return bpf_object__find_map_by_name(kernel->object, variable);
}

/* Asked before the load, after which libbpf forgets it. */
static void shapes_keep(struct kernel *kernel)
{
	const char *const *name = kernel->role->inner;
	struct bpf_map *map;
	int i;

	for (i = 0; name[i] && i < MAX_INNER; i++) {
		map = bpf_map__inner_map(
			bpf_object__find_map_by_name(kernel->object, name[i]));
		kernel->shapes[i].type = bpf_map__type(map);
		kernel->shapes[i].key_size = bpf_map__key_size(map);
		kernel->shapes[i].value_size = bpf_map__value_size(map);
		kernel->shapes[i].max_entries = bpf_map__max_entries(map);
		kernel->shapes[i].map_flags = bpf_map__map_flags(map);
	}
}

/*
 * fd of the pinned map of this name, or -1; *info is zeroed if there is none.
 */
static int pinned_map(const struct kernel *kernel, const char *name,
		      struct bpf_map_info *info)
{
	__u32 length = sizeof(*info);
	int fd = kernel_pinned(kernel, name);

	memset(info, 0, sizeof(*info));
	if (fd >= 0)
		bpf_obj_get_info_by_fd(fd, info, &length);
	return fd;
}

int kernel_replaced(const struct kernel *kernel, const char *name)
{
	int i;

	for (i = 0; i < kernel->replaced_count; i++) {
		if (!strcmp(kernel->replaced[i].name, name))
			return fcntl(kernel->replaced[i].map, F_DUPFD_CLOEXEC,
				     3);
	}
	return -1;
}

int kernel_resize(struct kernel *kernel, const char *name, __u32 entries,
		  struct fault *fault_out)
{
	struct bpf_map *map =
		bpf_object__find_map_by_name(kernel->object, name);
	struct bpf_map_info info;
	int fd = pinned_map(kernel, name, &info);

	if (fd >= 0 && info.max_entries != entries &&
	    kernel->replaced_count < MAX_REPLACED)
		kernel->replaced[kernel->replaced_count++] =
			(struct replaced){name, fd};
	else if (fd >= 0)
		close(fd);
	if (bpf_map__set_max_entries(map, entries))
		return fault(fault_out, "cannot size the map %s: %s", name,
			     strerror(errno));
	return 0;
}

/* Gives the object the pinned map of this name, if there is one. */
static int map_reuse(struct kernel *kernel, const char *name,
		     struct fault *fault_out)
{
	struct bpf_map *map = kernel_object_map(kernel, name);
	struct bpf_map_info info;
	int fd, rc = 0;
	char path[256];

	/* What a program calls was loaded with it. */
	if (map && bpf_map__type(map) == BPF_MAP_TYPE_PROG_ARRAY)
		return 0;
	fd = pinned_map(kernel, name, &info);
	if (fd < 0)
		return 0;
	kernel_path(kernel, "", name, path, sizeof(path));
	if (!map || info.type != bpf_map__type(map) ||
	    info.key_size != bpf_map__key_size(map) ||
	    info.value_size != bpf_map__value_size(map))
		rc = fault(fault_out,
			   "cannot take over %s: it has another layout", path);
	else if (info.max_entries == bpf_map__max_entries(map) &&
		 bpf_map__reuse_fd(map, fd))
		rc = fault(fault_out, "cannot take over %s: %s", path,
			   strerror(errno));
	close(fd);
	return rc;
}

int kernel_cpus(void)
{
	return libbpf_num_possible_cpus();
}

static bool has_helper(enum bpf_func_id helper)
{
	return libbpf_probe_bpf_helper(BPF_PROG_TYPE_XDP, helper, NULL) == 1;
}

bool kernel_can_trace(void)
{
	return has_helper(BPF_FUNC_trace_vprintk);
}

bool kernel_can_frags(void)
{
	return has_helper(BPF_FUNC_xdp_get_buff_len);
}

bool kernel_can_apart(void)
{
	/* Newer than compare-and-exchange, which no helper tells. */
	return has_helper(BPF_FUNC_xdp_store_bytes);
}

bool kernel_can_exchange(void)
{
	/* This helper is as old. */
	return has_helper(BPF_FUNC_check_mtu);
}

bool kernel_can_veth_gro(void)
{
	/* No feature of the device tells; this helper is as old. */
	return has_helper(BPF_FUNC_for_each_map_elem);
}

static void probe(struct constants *constants, __u32 buckets)
{
	memset(constants, 0, sizeof(*constants));
	if (gethostname(constants->host, sizeof(constants->host) - 1))
		strcpy(constants->host, "-");
	constants->has_frags = kernel_can_frags();
	constants->can_trace = kernel_can_trace();
	constants->has_mtu = has_helper(BPF_FUNC_check_mtu);
	constants->flow_buckets = buckets;
	constants->fragment_age = (__u32)jiffies_of(FRAGMENT_SECONDS * 1000);
	constants->mtu_age = (__u32)jiffies_of(PATH_MTU_SECONDS * 1000);
	constants->second = (__u32)jiffies_of(1000);
	constants->has_apart = kernel_can_apart();
	constants->has_sockets = kernel_can_keep_sockets();
}

void kernel_constants(const struct kernel *kernel, struct constants *constants)
{
	int flows = kernel_map(kernel, "flows");

	probe(constants, map_entries(flows));
	if (flows >= 0)
		close(flows);
}

/* fd of the map of this name that the program uses, or -1. */
static int map_of(int program, const char *name)
{
	struct bpf_prog_info info = {0};
	__u32 ids[64], length = sizeof(info), i;
	struct bpf_map_info map;
	int fd;

	info.map_ids = (__u64)(unsigned long)ids;
	info.nr_map_ids = sizeof(ids) / sizeof(ids[0]);
	if (bpf_obj_get_info_by_fd(program, &info, &length))
		return -1;
	for (i = 0; i < info.nr_map_ids; i++) {
		fd = bpf_map_get_fd_by_id(ids[i]);
		length = sizeof(map);
		memset(&map, 0, sizeof(map));
		/* The kernel keeps 15 characters of a name. */
		if (fd >= 0 && !bpf_obj_get_info_by_fd(fd, &map, &length) &&
		    !strncmp(map.name, name, sizeof(map.name) - 1))
			return fd;
		if (fd >= 0)
			close(fd);
	}
	return -1;
}

/* The same of the program `main`, or of those that it calls. */
static int live_map(const struct kernel *kernel, int main, const char *name)
{
	int found = map_of(main, name), programs, program;
	__u32 i, id;

	if (found >= 0 || !kernel->role->apart)
		return found;
	programs = map_of(main, "programs");
	for (i = 0; found < 0 && kernel->role->apart[i]; i++) {
		if (bpf_map_lookup_elem(programs, &i, &id))
			break;
		program = bpf_prog_get_fd_by_id(id);
		found = map_of(program, name);
		if (program >= 0)
			close(program);
	}
	if (programs >= 0)
		close(programs);
	return found;
}

bool kernel_names(const char *const *list, const char *name)
{
	for (; *list; list++) {
		if (!strcmp(*list, name))
			return true;
	}
	return false;
}

int kernel_load_over(const struct kernel *kernel, int program,
		     struct bpf_object *object, const char *const *own,
		     struct fault *fault_out)
{
	struct bpf_map *map;
	const char *name;
	int fd, rc = 0;

	bpf_object__for_each_map(map, object)
	{
		name = kernel_map_name(map);
		if (!name || kernel_names(own, name))
			continue;
		fd = live_map(kernel, program, bpf_map__name(map));
		/*
		 * A map that the running program does not use need not be
		 * shared.
		 */
		if (fd < 0)
			continue;
		rc = bpf_map__reuse_fd(map, fd);
		close(fd);
		if (rc)
			return fault(fault_out, "cannot use the map %s: %s",
				     name, strerror(errno));
	}
	libbpf_set_print(remember_warning);
	*libbpf_said = '\0';
	if (!bpf_object__load(object))
		return 0;
	fault(fault_out, "cannot load the program: %s",
	      *libbpf_said ? libbpf_said : strerror(errno));
	return fault_hint(fault_out, "%s up: what runs may be another build",
			  kernel->role->name);
}

static int load_failed(const char *program, struct fault *fault_out)
{
	fault(fault_out, "cannot load %s: %s", program,
	      *libbpf_said ? libbpf_said : strerror(errno));
	return fault_hint(fault_out,
			  "run it as root (CAP_BPF and CAP_NET_ADMIN, or "
			  "CAP_SYS_ADMIN), on Linux 5.10 or later");
}

int kernel_load_beside(struct kernel *kernel, const char *name,
		       struct fault *fault_out)
{
	const struct role *role = kernel->role;
	struct constants constants;
	struct bpf_program *program;
	const char *const *map;

	libbpf_set_print(remember_warning);
	kernel_constants(kernel, &constants);
	*libbpf_said = '\0';
	kernel->object = role->open(&constants);
	if (!kernel->object)
		return load_failed(name, fault_out);
	for (map = role->maps; *map; map++) {
		if (map_reuse(kernel, *map, fault_out))
			return -1;
	}
	bpf_program__set_autoload(
		bpf_object__find_program_by_name(kernel->object, role->program),
		false);
	kernel_apart_leave(role, kernel->object);
	program = bpf_object__find_program_by_name(kernel->object, name);
	bpf_program__set_autoload(program, true);
	if (bpf_object__load(kernel->object))
		return load_failed(name, fault_out);
	kernel->program = bpf_program__fd(program);
	return 0;
}

int kernel_load(struct kernel *kernel, const struct config *config,
		struct fault *fault_out)
{
	const struct role *role = kernel->role;
	struct constants constants;
	struct bpf_program *program;
	const char *const *name;

	libbpf_set_print(remember_warning);
	probe(&constants, flow_buckets(config->flow_table_size));
	*libbpf_said = '\0';
	kernel->object = role->open(&constants);
	if (!kernel->object)
		return fault(fault_out, "cannot open %s: %s", role->program,
			     libbpf_said);
	if (role->prepare && role->prepare(kernel, config, fault_out))
		return -1;
	for (name = role->maps; *name; name++) {
		if (map_reuse(kernel, *name, fault_out))
			return -1;
	}
	program =
		bpf_object__find_program_by_name(kernel->object, role->program);
	kernel_apart_prepare(role, kernel->object, program, &constants);
	kernel_lookup_prepare(role, kernel->object, &constants);
	shapes_keep(kernel);
	if (bpf_object__load(kernel->object))
		return load_failed(role->program, fault_out);
	if (kernel_apart_fill(role, kernel->object, &constants, fault_out))
		return -1;
	kernel->program = bpf_program__fd(program);
	return role->carry_over
		       ? role->carry_over(kernel, CARRY_LOADED, fault_out)
		       : 0;
}

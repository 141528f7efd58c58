// SPDX-License-Identifier: GPL-2.0-only
#include <bpf/bpf.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/reason.h"
#include "common/cli/cli.h"
#include "common/cli/report.h"
#include "common/config/write.h"
#include "common/core/abi_packets.h"
#include "common/core/abi_services.h"
#include "common/core/reason.h"
#include "common/kernel/generation.h"

json_t *report_reasons(const struct kernel *kernel, struct fault *unused)
{
	int map = kernel_map(kernel, "reasons"), cpus, cpu;
	json_t *rows = json_array();
	const struct reason_row *row;
	__u64 *values, sum;
	__u32 i;

	(void)unused;
	cpus = kernel_cpus();
	values = calloc((size_t)cpus, sizeof(*values));
	for (i = 0; values && map >= 0 && i < REASON_MAX; i++) {
		row = reason_row(i);
		if (!(row->programs & kernel->role->in) ||
		    bpf_map_lookup_elem(map, &i, values))
			continue;
		for (cpu = 0, sum = 0; cpu < cpus; cpu++)
			sum += values[cpu];
		json_array_append_new(
			rows,
			json_pack("{s:s, s:s, s:I, s:s}", "reason", row->name,
				  "action", row->action, "packets",
				  (json_int_t)sum, "meaning", row->text));
	}
	free(values);
	if (map >= 0)
		close(map);
	return rows;
}

void report_reason(__u32 reason, json_t *root)
{
	const struct reason_row *row = reason_row(reason);

	if (!row)
		return;
	json_object_set_new(root, "reason", json_string(row->name));
	json_object_set_new(root, "meaning", json_string(row->text));
	json_object_set_new(root, "action", json_string(row->action));
}

json_t *report_interfaces(const struct kernel *kernel, struct fault *unused)
{
	json_t *rows = json_array();
	int i;

	(void)unused;
	for (i = 0; i < kernel->attachment_count; i++) {
		const struct attachment *on = &kernel->attachments[i];
		struct bpf_prog_info info = {0};
		__u32 length = sizeof(info);

		bpf_obj_get_info_by_fd(on->old_program, &info, &length);
		json_array_append_new(
			rows,
			json_pack("{s:s, s:s, s:s, s:I}", "interface", on->name,
				  "program", kernel->role->program, "mode",
				  on->mode == MODE_NATIVE ? "native"
							  : "generic",
				  "id", (json_int_t)info.id));
	}
	return rows;
}

/* Flows that were not remembered because of insert-limit. */
static void report_refused(const struct kernel *kernel, json_t *root)
{
	int map = kernel_map(kernel, "inserted"), cpus, cpu;
	struct insertions *each;
	__u64 sum = 0;
	__u32 key = 0;

	if (map < 0)
		return;
	cpus = kernel_cpus();
	each = calloc((size_t)cpus, sizeof(*each));
	if (each && !bpf_map_lookup_elem(map, &key, each)) {
		for (cpu = 0; cpu < cpus; cpu++)
			sum += each[cpu].refused;
	}
	free(each);
	close(map);
	json_object_set_new(root, "flows-not-remembered",
			    json_integer((json_int_t)sum));
}

void report_head(const struct kernel *kernel, json_t *root)
{
	__u32 index = generation_current(kernel);
	struct generation generation = {0};
	char digest[DIGEST_TEXT];

	if (index != NO_GENERATION)
		generation_read(kernel, index, &generation);
	json_object_set_new(root, "generation",
			    json_integer((json_int_t)generation.number));
	json_object_set_new(
		root, "digest",
		json_string(digest_text(generation.digest, digest)));
	json_object_set_new(root, "trace",
			    json_string(trace_name(trace_get(kernel))));
	report_refused(kernel, root);
}

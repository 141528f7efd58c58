// SPDX-License-Identifier: GPL-2.0-only
/*
 * show.c - the sections of a role, all that belong to a summary or one
 */
#include <stdio.h>
#include <string.h>

#include "common/tool/cli.h"
#include "common/tool/kernel.h"
#include "common/tool/output.h"
#include "common/tool/report.h"

json_t *report_sections(const struct kernel *kernel, const char *only,
			struct fault *fault_out)
{
	const struct section *section;
	json_t *root = json_object(), *rows;

	if (!only)
		report_head(kernel, root);
	for (section = kernel->role->sections; section->name; section++) {
		if (only ? strcmp(section->name, only) : !section->summary)
			continue;
		rows = section->rows(kernel, fault_out);
		if (!rows) {
			json_decref(root);
			return NULL;
		}
		json_object_set_new(root, section->name, rows);
	}
	return root;
}

/* Takes out of `rows` those where `count` is 0. Their number. */
static size_t rows_drop(json_t *rows, const char *count)
{
	size_t i = json_array_size(rows), dropped = 0;
	json_t *row;

	while (i-- > 0) {
		row = json_array_get(rows, i);
		if (json_integer_value(json_object_get(row, count)))
			continue;
		json_array_remove(rows, i);
		dropped++;
	}
	return dropped;
}

/* For people: what has counted something. How many rows that leaves out. */
static size_t root_trim(const struct role *role, json_t *root)
{
	const struct section *section;
	size_t dropped = 0;

	for (section = role->sections; section->name; section++) {
		if (section->count)
			dropped +=
				rows_drop(json_object_get(root, section->name),
					  section->count);
	}
	return dropped;
}

int verb_show(const struct role *role, const struct options *options)
{
	struct fault fault_is = {0};
	struct kernel kernel;
	json_t *root = NULL;
	size_t dropped = 0;

	if (!kernel_open(&kernel, role, ACCESS_READ, &fault_is) &&
	    !kernel_attachments(&kernel, &fault_is))
		root = report_sections(&kernel, options->argument, &fault_is);
	kernel_close(&kernel);
	if (!root)
		return cli_failed(role, &fault_is);
	if (!options->json && !options->all)
		dropped = root_trim(role, root);
	if (output_print(root, options->json))
		return EXIT_FAILED;
	if (dropped)
		printf("without a packet, and not shown: %zu (-a shows them)\n",
		       dropped);
	return EXIT_DONE;
}

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

static json_t *sections_read(const struct kernel *kernel, const char *only,
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

int verb_show(const struct role *role, const struct options *options)
{
	struct fault fault_is = {0};
	struct kernel kernel;
	json_t *root = NULL;

	if (!kernel_open(&kernel, role, ACCESS_READ, &fault_is) &&
	    !kernel_attachments(&kernel, &fault_is))
		root = sections_read(&kernel, options->argument, &fault_is);
	kernel_close(&kernel);
	if (!root)
		return cli_failed(role, &fault_is);
	return output_print(root, options->json) ? EXIT_FAILED : EXIT_DONE;
}

// SPDX-License-Identifier: GPL-2.0-only
#include <stdio.h>
#include <string.h>

#include "common/tool/change.h"
#include "common/tool/cli.h"
#include "common/tool/kernel.h"

int verb_down(const struct role *role, int argc, char **argv)
{
	struct options options;
	struct kernel kernel;
	struct fault fault_is = {0};
	int i;

	if (options_parse(role, cli_verb(role, "down"), argc, argv, "", 0,
			  &options))
		return EXIT_USAGE;
	if (kernel_open(&kernel, role, false, &fault_is)) {
		/* Nothing to undo is what was asked for. */
		if (!strstr(fault_is.cause, "it is not up here"))
			return cli_failed(role, &fault_is);
		printf("%s is not up here\n", role->program);
		return EXIT_DONE;
	}
	if (kernel_attachments(&kernel, &fault_is)) {
		kernel_close(&kernel);
		return cli_failed(role, &fault_is);
	}
	kernel_detach(&kernel);
	for (i = 0; i < kernel.attachment_count; i++)
		printf("%s: %s detached\n", kernel.attachments[i].name,
		       role->program);
	changes_undo(&kernel);
	kernel_remove(&kernel);
	kernel_close(&kernel);
	return EXIT_DONE;
}

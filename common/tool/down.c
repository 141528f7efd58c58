// SPDX-License-Identifier: GPL-2.0-only
#include <stdio.h>

#include "common/tool/change.h"
#include "common/tool/cli.h"
#include "common/tool/kernel.h"

int verb_down(const struct role *role, const struct options *options)
{
	struct kernel kernel;
	struct fault fault_is = {0};
	int i, rc;

	(void)options;
	rc = kernel_open(&kernel, role, ACCESS_CHANGE, &fault_is);
	if (rc == KERNEL_NOT_UP) {
		/* Nothing to undo is what was asked for. */
		printf("%s is not up here\n", role->program);
		return EXIT_DONE;
	}
	rc = rc ?: kernel_attachments(&kernel, &fault_is);
	if (rc) {
		kernel_close(&kernel);
		return cli_failed(role, &fault_is);
	}
	kernel_detach(&kernel);
	for (i = 0; i < kernel.attachment_count; i++)
		printf("%s: %s detached\n", kernel.attachments[i].name,
		       role->program);
	/* What could not be put back stays noted, for a `down` that can. */
	rc = changes_undo(&kernel, &fault_is);
	if (!rc)
		kernel_remove(&kernel);
	kernel_close(&kernel);
	return rc ? cli_failed(role, &fault_is) : EXIT_DONE;
}

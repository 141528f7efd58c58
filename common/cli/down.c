// SPDX-License-Identifier: GPL-2.0-only
#include <net/if.h>
#include <stdio.h>
#include <string.h>

#include "common/cli/cli.h"
#include "common/host/change.h"
#include "common/host/interfaces.h"
#include "common/kernel/kernel.h"

/*
 * Does a sysctl stay set? Yes if it is another interface's, or if next hops
 * need it (they are reached by this interface whether it is attached to or
 * not).
 */
static bool is_needed(const char *what, const void *name)
{
	char part[IF_NAMESIZE + 2];

	snprintf(part, sizeof(part), "/%s/", (const char *)name);
	return !strstr(what, part) || strstr(what, "evict_nocarrier");
}

/* Also true for an interface of ours that is gone: it may be made again. */
static bool is_wanted(const struct kernel *kernel)
{
	return kernel->attachment_count || kernel->gone_count;
}

/*
 * An interface that was not attached does not keep others from being detached.
 */
static int detach(struct kernel *kernel, const struct options *options,
		  struct fault *fault_out)
{
	char *const *name;
	int i;

	for (name = options->interfaces.name; *name; name++) {
		if (!kernel_detach_from(kernel, *name)) {
			printf("%s: %s is not attached\n", *name,
			       kernel->role->program);
			continue;
		}
		printf("%s: %s detached\n", *name, kernel->role->program);
		changes_keep(kernel, "sysctl", is_needed, *name);
	}
	for (i = 0; !kernel->attachment_count && i < kernel->gone_count; i++)
		printf("%s: gone; %s stays up for it (to end that: %s down)\n",
		       kernel->gone[i].name, kernel->role->program,
		       kernel->role->name);
	return is_wanted(kernel) ? interfaces_write(kernel, NULL, fault_out)
				 : 0;
}

int verb_down(const struct role *role, const struct options *options)
{
	struct kernel kernel;
	struct fault fault_is = {0};
	int i, rc;

	rc = kernel_open(&kernel, role, ACCESS_CHANGE, &fault_is);
	if (rc == KERNEL_NOT_UP) {
		/* It is not up, which is what was asked for. */
		printf("%s is not up here\n", role->program);
		return EXIT_DONE;
	}
	rc = rc ?: kernel_attachments(&kernel, &fault_is);
	if (rc) {
		kernel_close(&kernel);
		return cli_failed(role, &fault_is);
	}
	/*
	 * Other interfaces stay attached, and what they need on this host stays
	 * set.
	 */
	if (options->interfaces.count) {
		rc = detach(&kernel, options, &fault_is);
		if (rc || is_wanted(&kernel)) {
			kernel_close(&kernel);
			return rc ? cli_failed(role, &fault_is) : EXIT_DONE;
		}
	}
	kernel_detach(&kernel);
	for (i = 0; i < kernel.attachment_count; i++)
		printf("%s: %s detached\n", kernel.attachments[i].name,
		       role->program);
	/* What could not be restored stays noted, for a `down` that can. */
	rc = changes_undo(&kernel, &fault_is);
	rc = rc ?: kernel_remove(&kernel, &fault_is);
	kernel_close(&kernel);
	return rc ? cli_failed(role, &fault_is) : EXIT_DONE;
}

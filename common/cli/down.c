// SPDX-License-Identifier: GPL-2.0-only
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/cli/cli.h"
#include "common/host/change.h"
#include "common/host/interfaces.h"
#include "common/kernel/clsact.h"
#include "common/kernel/kernel.h"
#include "common/kernel/takeover.h"

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

/* Is the program behind XDP another interface's? */
static bool is_elsewhere(const char *what, const void *name)
{
	return strcmp(what, name) != 0;
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
	int i, where;

	for (name = options->interfaces.name; *name; name++) {
		if (!kernel_detach_from(kernel, *name)) {
			printf("%s: %s is not attached\n", *name,
			       kernel->role->program);
			continue;
		}
		printf("%s: %s detached\n", *name, kernel->role->program);
		changes_keep(kernel, "sysctl", is_needed, *name);
		for (where = 0; where < CLSACTS; where++)
			changes_keep(kernel, clsact_kind(where), is_elsewhere,
				     *name);
	}
	for (i = 0; !kernel->attachment_count && i < kernel->gone_count; i++)
		printf("%s: gone; %s stays up for it (to end that: %s down)\n",
		       kernel->gone[i].name, kernel->role->program,
		       kernel->role->name);
	return is_wanted(kernel) ? interfaces_write(kernel, NULL, fault_out)
				 : 0;
}

/*
 * A build with another layout is up, or has been taken over in part. What is
 * attached by it is detached. Its notes are undone, or become ours, to be
 * undone with ours: a takeover begins with copying them.
 */
static int before_end(struct kernel *kernel, struct kernel *before,
		      bool *is_last, struct fault *fault_out)
{
	int map = kernel_map(kernel, "changes"), i, rc;

	*is_last = map < 0;
	if (map >= 0)
		close(map);
	if (kernel->attachment_count + kernel->gone_count)
		return takeover_end(before, fault_out);
	if (takeover_readable(before, fault_out) ||
	    kernel_attachments(before, fault_out))
		return -1;
	kernel_detach(before);
	for (i = 0; i < before->attachment_count; i++)
		printf("%s: %s of %s detached\n", before->attachments[i].name,
		       kernel->role->program, takeover_layout(before));
	rc = *is_last ? changes_undo(before, fault_out)
		      : takeover_changes(before, kernel, fault_out);
	return rc ?: kernel_remove(before, fault_out);
}

static int down_all(struct kernel *kernel, struct kernel *before, bool is_here,
		    struct fault *fault_out)
{
	bool is_last = false;
	int i, rc = 0;

	if (takeover_is(before))
		rc = before_end(kernel, before, &is_last, fault_out);
	if (rc || !is_here)
		return rc;
	kernel_detach(kernel);
	for (i = 0; i < kernel->attachment_count; i++)
		printf("%s: %s detached\n", kernel->attachments[i].name,
		       kernel->role->program);
	/* What could not be restored stays noted, for a `down` that can. */
	rc = is_last ? 0 : changes_undo(kernel, fault_out);
	return rc ?: kernel_remove(kernel, fault_out);
}

/* Is nothing attached any more after this `down`? */
static bool is_end(const struct role *role, const struct options *options)
{
	struct fault ignored;
	struct kernel kernel;
	int i, left = 1;

	if (!options->interfaces.count)
		return true;
	if (!kernel_open(&kernel, role, ACCESS_READ, &ignored) &&
	    !kernel_attachments(&kernel, &ignored)) {
		left = kernel.gone_count;
		for (i = 0; i < kernel.attachment_count; i++)
			left += !kernel_names(
				(const char *const *)options->interfaces.name,
				kernel.attachments[i].name);
	}
	kernel_close(&kernel);
	return !left;
}

/* What cannot be withdrawn does not keep it from being taken down. */
static void leave(const struct role *role, const struct options *options)
{
	struct fault fault_is = {0};
	bool announced;

	if (role->leave && is_end(role, options) &&
	    role->leave(role, &announced, &fault_is) == -1)
		fault_warn(&fault_is);
}

int verb_down(const struct role *role, const struct options *options)
{
	enum access access =
		options->interfaces.count ? ACCESS_CHANGE : ACCESS_END;
	struct kernel kernel, before = {.lock = -1, .program = -1};
	struct fault fault_is = {0};
	bool is_here;
	int rc;

	leave(role, options);
	rc = kernel_open(&kernel, role, access, &fault_is);
	is_here = rc != KERNEL_NOT_UP;
	if (!is_here)
		rc = 0;
	rc = rc ?: takeover_open(&kernel, &before, &fault_is);
	if (!rc && is_here)
		rc = kernel_attachments(&kernel, &fault_is);
	/*
	 * Other interfaces stay attached, and what they need on this host stays
	 * set.
	 */
	if (!rc && is_here && options->interfaces.count)
		rc = detach(&kernel, options, &fault_is);
	if (!rc && !is_here && !takeover_is(&before))
		/* It is not up, which is what was asked for. */
		printf("%s is not up here\n", role->program);
	else if (!rc && !(options->interfaces.count && is_wanted(&kernel)))
		rc = down_all(&kernel, &before, is_here, &fault_is);
	kernel_close(&before);
	kernel_close(&kernel);
	return rc ? cli_failed(role, &fault_is) : EXIT_DONE;
}

// SPDX-License-Identifier: GPL-2.0-only
#include "LoadBalancer/host/announcements.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "LoadBalancer/generation/file.h"

int announcements_open(struct announcements *announcements,
		       const struct kernel *kernel,
		       const struct running *running, struct fault *fault_out)
{
	memset(announcements, 0, sizeof(*announcements));
	if (file_running(kernel, &announcements->config, NULL, fault_out))
		return -1;
	if (fitnesses_open(&announcements->fitnesses, running,
			   &announcements->config))
		return fault(fault_out, "cannot read what is announced: %s",
			     strerror(ENOMEM));
	announcements->has_left = announce_has_left(kernel);
	announcements->count =
		announced_read(kernel, &announcements->vips, fault_out);
	return announcements->count < 0 ? -1 : 0;
}

void announcements_close(struct announcements *announcements)
{
	free(announcements->vips);
	fitnesses_close(&announcements->fitnesses);
	config_free(&announcements->config);
}

const struct announced_vip *
announcement_of(const struct announcements *announcements,
		const struct addr *vip)
{
	char what[ANNOUNCED_WHAT];

	if (!announces(&announcements->config))
		return NULL;
	announced_what(&announcements->config.announce, vip, what);
	return announced_find(announcements->vips, announcements->count, what);
}

const char *announcement_name(const struct announcements *announcements,
			      const struct addr *vip)
{
	const struct announced_vip *of = announcement_of(announcements, vip);

	if (of)
		return announced_name(of->announced);
	return announces(&announcements->config) && announcements->has_left
		       ? announced_name(ANNOUNCED_NOT)
		       : NULL;
}

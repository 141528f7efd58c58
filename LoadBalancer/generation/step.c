// SPDX-License-Identifier: GPL-2.0-only
/*
 * step.c - refuse a file that would break flows which nobody remembers
 */
#include "LoadBalancer/generation/build.h"
#include "LoadBalancer/generation/file.h"
#include "common/config/transition.h"

int step_check(const struct build *build, struct fault *fault_out)
{
	const struct running *old = &build->old;
	bool forgets = false;
	struct config file;
	char why[256];
	size_t i;
	int rc;

	for (i = 0; i < old->service_count; i++)
		forgets |= old->services[i].service.forgets &&
			   !old->services[i].service.removing;
	if (!forgets || build->kernel->at_once || build->config->is_running)
		return 0;
	if (file_running(build->kernel, &file, NULL, fault_out))
		return -1;
	rc = transition_step(&file, build->config, why, sizeof(why));
	config_free(&file);
	if (!rc)
		return 0;
	fault(fault_out, "cannot apply %s: %s", build->config->path, why);
	return fault_hint(fault_out, "lbr apply --now %s, which breaks them",
			  build->config->path);
}

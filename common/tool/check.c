// SPDX-License-Identifier: GPL-2.0-only
#include <stdio.h>

#include "common/tool/cli.h"

int verb_check(const struct role *role, int argc, char **argv)
{
	struct options options;
	struct config config;
	const char *path;
	size_t i, backends = 0;
	char why[512];

	if (options_parse(role, cli_verb(role, "check"), argc, argv, "", 1,
			  &options))
		return EXIT_USAGE;
	path = options.argument ?: DEFAULT_CONFIG;
	if (config_read(path, &config, why, sizeof(why), stderr)) {
		fprintf(stderr, "%s: %s\n", role->name, why);
		return EXIT_PROBLEM;
	}
	for (i = 0; i < config.service_count; i++)
		backends += config.services[i].backend_count;
	printf("%s: %zu services, %zu backends: valid\n", path,
	       config.service_count, backends);
	config_free(&config);
	return EXIT_DONE;
}

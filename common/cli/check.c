// SPDX-License-Identifier: GPL-2.0-only
#include <stdio.h>

#include "common/cli/cli.h"
#include "common/config/methods.h"
#include "common/config/restore.h"
#include "common/config/write.h"

int verb_check(const struct role *role, const struct options *options)
{
	struct config config;
	const char *path;
	size_t i, backends = 0;
	char why[512], digest[DIGEST_TEXT];

	path = options->argument ?: options->config ?: DEFAULT_CONFIG;
	if (config_read(path, &config, why, sizeof(why), stderr)) {
		fprintf(stderr, "%s: %s\n", role->name, why);
		return EXIT_PROBLEM;
	}
	for (i = 0; i < config.service_count; i++)
		backends += config.services[i].backend_count;
	printf("%s: %zu service%s, %zu backend%s: valid, digest %s\n", path,
	       config.service_count, config.service_count == 1 ? "" : "s",
	       backends, backends == 1 ? "" : "s",
	       digest_text(config.digest, digest));
	methods_notes(&config, stdout);
	restore_notes(&config, stdout);
	if (role->notes)
		role->notes(&config, stdout);
	config_free(&config);
	return EXIT_DONE;
}

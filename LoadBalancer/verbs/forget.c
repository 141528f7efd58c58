// SPDX-License-Identifier: GPL-2.0-only
/*
 * forget.c - `lbr forget`: what was learned from packets, given up
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "LoadBalancer/host/path_mtus.h"
#include "LoadBalancer/verbs/verbs.h"
#include "common/base/address.h"
#include "common/cli/cli.h"

int verb_forget(const struct role *role, const struct options *options)
{
	struct fault fault_is = {0};
	struct addr backend;
	struct kernel kernel;
	int rc, forgotten;

	if (strcmp(options->arguments[0], "path-mtus")) {
		fprintf(stderr,
			"lbr: cannot run 'forget': no such choice: '%s'\n"
			"  usage: lbr forget [-b ADDRESS] path-mtus\n",
			options->arguments[0]);
		return EXIT_USAGE;
	}
	if (options->backend && addr_parse(options->backend, &backend)) {
		fault(&fault_is,
		      "cannot forget the path MTU of '%s': it is neither an "
		      "IPv4 nor an IPv6 address",
		      options->backend);
		return cli_failed(role, &fault_is);
	}
	rc = kernel_open(&kernel, role, ACCESS_CHANGE, &fault_is);
	if (!rc) {
		forgotten = path_mtus_forget(
			&kernel, options->backend ? &backend : NULL);
		if (forgotten < 0)
			rc = fault(&fault_is, "cannot read the path MTUs: %s",
				   strerror(errno));
		else if (!forgotten)
			puts("no path MTU was known");
	}
	kernel_close(&kernel);
	return rc ? cli_failed(role, &fault_is) : EXIT_DONE;
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * show.c - what runs on the backend, and what it has counted
 */
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "Backend/bkd.h"
#include "common/core/reason.h"
#include "common/tool/cli.h"
#include "common/tool/endpoint.h"
#include "common/tool/generation.h"
#include "common/tool/output.h"
#include "common/tool/report.h"

static json_t *restores(const struct kernel *kernel)
{
	struct restore_row *rows;
	int i, count = restores_read(kernel, generation_current(kernel), &rows);
	char address[64], vip[INET6_ADDRSTRLEN];
	json_t *list = json_array();

	for (i = 0; i < count; i++)
		json_array_append_new(
			list,
			json_pack("{s:s, s:s, s:s, s:s}", "address",
				  endpoint_text(&rows[i].key.address,
						rows[i].key.port, address),
				  "protocol",
				  protocol_name(rows[i].key.protocol), "vip",
				  addr_text(&rows[i].restore.vip, vip), "for",
				  rows[i].restore.until ? "grace" : "good"));
	free(rows);
	return list;
}

static json_t *reasons(const struct kernel *kernel)
{
	return report_reasons(kernel, IN_BKD);
}

static const struct {
	const char *name;
	json_t *(*rows)(const struct kernel *kernel);
} sections[] = {
	{"interfaces", report_interfaces},
	{"restores", restores},
	{"reasons", reasons},
};
#define SECTIONS (sizeof(sections) / sizeof(sections[0]))

static bool section_exists(const char *name)
{
	size_t i;

	for (i = 0; i < SECTIONS; i++) {
		if (!strcmp(sections[i].name, name))
			return true;
	}
	return false;
}

int bkd_show(const struct role *role, int argc, char **argv)
{
	const struct verb *verb = cli_verb(role, "show");
	struct fault fault_is = {0};
	struct options options;
	struct kernel kernel;
	json_t *root;
	size_t i;

	if (options_parse(role, verb, argc, argv, "j", 1, &options))
		return EXIT_USAGE;
	if (options.argument && !section_exists(options.argument)) {
		fprintf(stderr,
			"bkd: cannot show '%s': no such thing\n"
			"  usage: bkd show %s\n",
			options.argument, verb->arguments);
		return EXIT_USAGE;
	}
	if (kernel_open(&kernel, role, false, &fault_is) ||
	    kernel_attachments(&kernel, &fault_is)) {
		kernel_close(&kernel);
		return cli_failed(role, &fault_is);
	}
	root = json_object();
	if (!options.argument)
		report_head(&kernel, root);
	for (i = 0; i < SECTIONS; i++) {
		if (!options.argument ||
		    !strcmp(options.argument, sections[i].name))
			json_object_set_new(root, sections[i].name,
					    sections[i].rows(&kernel));
	}
	kernel_close(&kernel);
	return output_print(root, options.json) ? EXIT_FAILED : EXIT_DONE;
}

// SPDX-License-Identifier: GPL-2.0-only
#include <stdio.h>
#include <string.h>

#include "common/tool/cli.h"
#include "common/tool/kernel.h"

static const char *const names[] = {
	[TRACE_OFF] = "off",
	[TRACE_NEW] = "new",
	[TRACE_ALL] = "all",
};

const char *trace_name(__u32 trace)
{
	return trace <= TRACE_ALL ? names[trace] : "unknown";
}

int trace_parse(const char *text, enum trace *trace)
{
	int i;

	for (i = TRACE_OFF; i <= TRACE_ALL; i++) {
		if (text && strcmp(text, names[i]))
			continue;
		*trace = (enum trace)i;
		return 0;
	}
	return -1;
}

int trace_possible(enum trace trace, struct fault *fault_out)
{
	if (trace == TRACE_OFF || kernel_can_trace())
		return 0;
	fault(fault_out, "cannot trace: this kernel has no "
			 "bpf_trace_vprintk() for XDP");
	return fault_hint(fault_out, "Linux 5.16 or later, as root");
}

int verb_trace(const struct role *role, int argc, char **argv)
{
	const struct verb *verb = cli_verb(role, "trace");
	struct options options;
	struct kernel kernel;
	struct fault fault_is = {0};
	enum trace trace;
	int rc = 0;

	if (options_parse(role, verb, argc, argv, "", 1, &options))
		return EXIT_USAGE;
	if (trace_parse(options.argument, &trace)) {
		fprintf(stderr,
			"%s: cannot trace '%s': no such choice\n"
			"  usage: %s trace %s\n",
			role->name, options.argument, role->name,
			verb->arguments);
		return EXIT_USAGE;
	}
	rc = options.argument ? trace_possible(trace, &fault_is) : 0;
	rc = rc ?: kernel_open(&kernel, role, ACCESS_CHANGE, &fault_is);
	if (rc)
		return cli_failed(role, &fault_is);
	if (options.argument)
		rc = control_set(&kernel, CONTROL_TRACE, trace);
	printf("trace %s; read it with: cat " TRACE_PIPE "\n",
	       trace_name(control_get(&kernel, CONTROL_TRACE)));
	kernel_close(&kernel);
	return rc ? EXIT_FAILED : EXIT_DONE;
}

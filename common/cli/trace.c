// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/cli/cli.h"
#include "common/kernel/kernel.h"

static const char *const names[] = {
	[TRACE_OFF] = "off",
	[TRACE_NEW] = "new",
	[TRACE_ALL] = "all",
};

const char *trace_name(__u32 trace)
{
	return trace <= TRACE_ALL ? names[trace] : "unknown";
}

enum trace trace_parse(const char *text)
{
	enum trace trace = TRACE_ALL;

	while (trace > TRACE_OFF && (!text || strcmp(text, names[trace])))
		trace--;
	return trace;
}

int trace_possible(enum trace trace, struct fault *fault_out)
{
	if (trace == TRACE_OFF || kernel_can_trace())
		return 0;
	fault(fault_out, "cannot trace: this kernel has no "
			 "bpf_trace_vprintk() for XDP");
	return fault_hint(fault_out, "Linux 5.16 or later, as root");
}

enum trace trace_get(const struct kernel *kernel)
{
	return control_get(kernel, CONTROL_TRACE) & TRACE_MODE;
}

int trace_set(const struct kernel *kernel, enum trace trace)
{
	__u32 value = control_get(kernel, CONTROL_TRACE);

	return control_set(kernel, CONTROL_TRACE,
			   (value & ~(__u32)TRACE_MODE) | trace);
}

int verb_trace(const struct role *role, const struct options *options)
{
	struct kernel kernel;
	struct fault fault_is = {0};
	enum trace trace = trace_parse(options->argument);
	int rc;

	if (options->argument && trace_possible(trace, &fault_is))
		return cli_failed(role, &fault_is);
	rc = kernel_open(&kernel, role,
			 options->argument ? ACCESS_CHANGE : ACCESS_READ,
			 &fault_is);
	if (!rc && options->argument && trace_set(&kernel, trace))
		rc = fault(&fault_is, "cannot set the trace: %s",
			   strerror(errno));
	if (!rc)
		printf("trace %s; read it with: cat " TRACE_PIPE "\n",
		       trace_name(trace_get(&kernel)));
	kernel_close(&kernel);
	return rc ? cli_failed(role, &fault_is) : EXIT_DONE;
}

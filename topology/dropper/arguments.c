// SPDX-License-Identifier: GPL-2.0-only
/* arguments.c - what `dropper attach` is told */
#include "arguments.h"

#include <errno.h>
#include <getopt.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char usage[] =
	"usage: dropper attach IF [OPTION]...   lose packets on purpose\n"
	"       dropper show IF                 what it has counted\n"
	"       dropper detach IF               take it away\n"
	"\n"
	"--mode MODE        (default parity)\n"
	"     parity        an even TCP sequence number is dropped\n"
	"     once          ... and passes when it comes again\n"
	"     nth           each N-th packet is dropped\n"
	"     rate          of a hundred packets, P are dropped\n"
	"     corrupt       a bit of each N-th packet is inverted, of its "
	"data\n"
	"--every N          1 (default) to 1000000\n"
	"--percent P        0 to 100 (default 10)\n"
	"--protocol NAME    only tcp (default), udp; or any IP packet: any\n"
	"--port N           only to this port\n"
	"--source-port N    only from this port\n"
	"--direction in     what comes in by the interface (default): XDP,\n"
	"                   in generic mode\n"
	"            out    what goes out by it: tc\n"
	"--trace            a line in trace_pipe for each of these packets\n";

const char *const modes[MODE_MAX] = {
	[MODE_PARITY] = "parity",   [MODE_ONCE] = "once",
	[MODE_NTH] = "nth",	    [MODE_RATE] = "rate",
	[MODE_CORRUPT] = "corrupt",
};

void complain(const char *what, const char *name, const char *cause,
	      const char *hint)
{
	fprintf(stderr, "dropper: cannot %s %s: %s\n  try: %s\n", what, name,
		cause, hint);
}

int misused(const char *what, const char *name, const char *cause)
{
	complain(what, name, cause, "topology/dropper/dropper --help");
	return 2;
}

/*
 * Parse a number of the command line; false: it is no number, or out of range.
 */
static bool number(const char *text, unsigned long least, unsigned long most,
		   unsigned long *value)
{
	char *end;

	errno = 0;
	*value = strtoul(text, &end, 10);
	return *text >= '0' && *text <= '9' && !*end && !errno &&
	       *value >= least && *value <= most;
}

static bool set_mode(struct dropper *dropper, const char *name)
{
	for (__u32 mode = 0; mode < MODE_MAX; mode++)
		if (!strcmp(name, modes[mode])) {
			dropper->mode = mode;
			return true;
		}
	return false;
}

static bool set_protocol(struct dropper *dropper, const char *name)
{
	if (!strcmp(name, "tcp"))
		dropper->protocol = IPPROTO_TCP;
	else if (!strcmp(name, "udp"))
		dropper->protocol = IPPROTO_UDP;
	else if (!strcmp(name, "any"))
		dropper->protocol = 0;
	else
		return false;
	return true;
}

/* Set an option from its argument; false: refused. */
static bool set(struct dropper *dropper, bool *out, int option, char *argument)
{
	unsigned long value = 0;
	bool fits;

	switch (option) {
	case 'm':
		return set_mode(dropper, argument);
	case 'q':
		return set_protocol(dropper, argument);
	case 'd':
		*out = !strcmp(argument, "out");
		return *out || !strcmp(argument, "in");
	case 't':
		dropper->trace = 1;
		return true;
	case 'e':
		fits = number(argument, 1, 1000000, &value);
		dropper->every = value;
		return fits;
	case 'r':
		fits = number(argument, 0, 100, &value);
		dropper->percent = value;
		return fits;
	case 'p':
		fits = number(argument, 1, 65535, &value);
		dropper->port = value;
		return fits;
	case 's':
		fits = number(argument, 1, 65535, &value);
		dropper->source_port = value;
		return fits;
	default:
		return false;
	}
}

int arguments(struct dropper *dropper, bool *out, int argc, char **argv)
{
	static const struct option options[] = {
		{"mode", required_argument, NULL, 'm'},
		{"every", required_argument, NULL, 'e'},
		{"percent", required_argument, NULL, 'r'},
		{"protocol", required_argument, NULL, 'q'},
		{"port", required_argument, NULL, 'p'},
		{"source-port", required_argument, NULL, 's'},
		{"direction", required_argument, NULL, 'd'},
		{"trace", no_argument, NULL, 't'},
		{0},
	};
	int option, row;

	*dropper = (struct dropper){.every = 1, .percent = 10};
	dropper->protocol = IPPROTO_TCP;
	*out = false;
	opterr = 0;
	while ((option = getopt_long(argc, argv, "", options, &row)) != -1) {
		if (option == '?')
			return misused(
				"read", argv[optind - 1],
				"no such option, or its value is missing");
		if (!set(dropper, out, option, optarg))
			return misused("read", optarg,
				       "not allowed for that option");
	}
	if (optind < argc)
		return misused("read", argv[optind], "one interface at a time");
	if (dropper->mode <= MODE_ONCE && dropper->protocol != IPPROTO_TCP)
		return misused("use mode", modes[dropper->mode],
			       "only TCP has sequence numbers");
	if (!dropper->protocol && (dropper->port || dropper->source_port))
		return misused("match a port of", "any IP packet",
			       "only TCP and UDP have ports");
	return 0;
}

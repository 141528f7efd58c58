/* SPDX-License-Identifier: GPL-2.0-only */
/* pins.h - what a program of tests/prog opens below the pins; it ends if not */
#pragma once

#include <bpf/bpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void die(const char *what)
{
	fprintf(stderr, "%s: cannot %s: %s\n", program_invocation_short_name,
		what, strerror(errno));
	exit(2);
}

static int pin(const char *pins, const char *name)
{
	char path[256];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", pins, name);
	fd = bpf_obj_get(path);
	if (fd < 0)
		die(path);
	return fd;
}

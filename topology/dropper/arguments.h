/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * arguments.h - what `dropper attach` is told, and how faults are told
 */
#pragma once

#include "dropper.h"

#include <stdbool.h>

extern const char usage[];
extern const char *const modes[MODE_MAX];

/* Print "dropper: cannot WHAT NAME: CAUSE", and what helps. */
void complain(const char *what, const char *name, const char *cause,
	      const char *hint);

/* The same for a wrong command line; returns its exit status, 2. */
int misused(const char *what, const char *name, const char *cause);

/*
 * Parse the options after the interface, argv[0]. Returns 0, or an exit status.
 */
int arguments(struct dropper *dropper, bool *out, int argc, char **argv);

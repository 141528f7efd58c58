/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * arguments.h - what `dropper attach` is told, and how faults are told
 */
#pragma once

#include "dropper.h"

#include <stdbool.h>

extern const char usage[];
extern const char *const modes[MODE_MAX];

/* "dropper: cannot WHAT NAME: CAUSE", and what helps. */
void complain(const char *what, const char *name, const char *cause,
	      const char *hint);

/* The same for a command line that is refused; the exit status for it, 2. */
int misused(const char *what, const char *name, const char *cause);

/* The options behind the interface, argv[0]. 0, or an exit status. */
int arguments(struct dropper *dropper, bool *out, int argc, char **argv);

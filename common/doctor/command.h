/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * command.h - what another program prints
 *
 * Without a shell, so that no argument is taken for more than it is; and by
 * fork(), not by popen(). In popen() we would sleep in vfork() until the child
 * runs the program: if ^Z stops the child before that, we do not stop, and the
 * terminal has no prompt.
 */
#pragma once

#include <stdio.h>
#include <sys/types.h>

struct command {
	FILE *out; /* NULL: it could not be begun */
	pid_t pid;
};

/* The program argv[0] of PATH; it reads nothing, and its errors are lost. */
void command_begin(struct command *command, const char *const argv[]);
/* Waits until it ends. */
void command_end(struct command *command);

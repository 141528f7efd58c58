/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * printing.h - what a tool prints, and when it may wait for the reader
 *
 * A pager, a paused terminal, a full pipe: a process that prints may wait for
 * as long as its reader likes. So nothing is printed while a lock is held, and
 * nothing is printed by an event loop. All code prints to stdout and stderr;
 * these two streams know the difference.
 */
#pragma once

#include <stddef.h>

#include "common/base/fault.h"

/* From now on; before anything is printed. */
void printing_start(void);
/*
 * Between these two, what is printed is kept in memory; the second prints it,
 * both streams in the order in which they were written to. They nest.
 */
void printing_hold(void);
void printing_release(void);
/* Bytes that stdout has been told to print so far. */
size_t printing_count(void);
/* At once, past what is held, on stderr; unless that would have to wait. */
void printing_now(const char *text);
/*
 * From now on a thread prints. Where the reader is too slow, what does not fit
 * in memory is lost, and how much it was is printed. Returns 0, or -1 with a
 * fault.
 */
int printing_background(struct fault *fault);
/* Prints the rest. Returns 0, or errno of the first failure of stdout. */
int printing_end(void);

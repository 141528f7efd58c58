/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * printing.h - what a tool prints, and when it may wait for the reader
 *
 * With a pager, a paused terminal or a full pipe, a process that prints may
 * wait for as long as its reader likes. So nothing is printed while a lock is
 * held, and nothing is printed by an event loop. All code prints to stdout and
 * stderr; these two streams know whether they may wait.
 */
#pragma once

#include <stddef.h>

#include "common/base/fault.h"

/* From now on; to be called before anything is printed. */
void printing_start(void);
/*
 * Between these two, output is buffered in memory; the second prints it, both
 * streams in the order of writing. They nest.
 */
void printing_hold(void);
void printing_release(void);
/* Bytes written to stdout so far. */
size_t printing_count(void);
/* Prints on stderr at once, past the buffer, unless that would block. */
void printing_now(const char *text);
/*
 * From now on a thread prints. If the reader is too slow, what exceeds the
 * buffer is lost, and its size is printed. Returns 0, or -1 with a fault.
 */
int printing_background(struct fault *fault);
/* Prints the rest. Returns 0, or errno of stdout's first failure. */
int printing_end(void);

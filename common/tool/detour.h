/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * detour.h - a way for some of this host's own packets, past its routes
 *
 * A veth pair, and a rule: what has the mark leaves by the one end, and comes
 * in by the other, where an XDP program may take it. Sockets set the mark
 * (SO_MARK); all that has none goes where it went.
 */
#pragma once

#include <stdbool.h>

#include "common/tool/fault.h"

#define DETOUR_NEAR "lbr-check0" /* where marked packets leave */
#define DETOUR_FAR  "lbr-check1" /* ... and arrive */
#define DETOUR_MARK 0x6c6272

/* Also where it is there already. Returns 0, or -1 with a fault. */
int detour_make(struct fault *fault);
/* Returns whether there was anything. */
bool detour_remove(void);

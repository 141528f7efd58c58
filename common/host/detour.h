/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * detour.h - what health checks of an older version left on this host
 *
 * They went by a mark, a routing rule and a veth pair of the host's own. A
 * version of that kind that was killed left them; they are in the way.
 */
#pragma once

#include <stdbool.h>

/* Returns whether there was anything. */
bool detour_remove(void);

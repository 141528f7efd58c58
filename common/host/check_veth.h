/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * check_veth.h - remove what health checks of an older version left on this
 * host
 *
 * Those checks used a mark, a routing rule and a veth pair of the host's own.
 * If such a version was killed, these are still there, and in the way.
 */
#pragma once

#include <stdbool.h>

/* Returns whether there was anything. */
bool check_veth_remove(void);

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * watch_life.h - is a watcher's process alive?
 *
 * Each holds a lock on a directory beside the pins, which has the id of its
 * ring buffer in its name. The kernel frees the lock when the process ends.
 * Only root can make or lock the directory, so nobody else can be in the way.
 */
#pragma once

#include <linux/types.h>
#include <stdbool.h>

#include "common/kernel/role.h"

/* The fd that holds the lock; -1 with errno. */
int life_begin(const struct role *role, __u32 id);
/* If that cannot be seen: false. */
bool life_is_over(const struct role *role, __u32 id);
/* Removes the directory. */
void life_end(const struct role *role, __u32 id);

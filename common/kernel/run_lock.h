/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * run_lock.h - one `run` for each pin directory
 *
 * It holds the lock of a directory beside it, which only root can reach, and
 * which is there before `up` and after `down`.
 */
#pragma once

#include "common/kernel/lock.h"
#include "common/kernel/role.h"

/* Returns an fd, or -1 with a fault: another one runs. */
int run_lock(const struct role *role, struct fault *fault);
/* With run_lock()'s; -1 is none. */
void run_unlock(const struct role *role, int fd);
/* Does one run here? 1, 0, or -1 with a fault: that cannot be told. */
int run_is_alive(const struct role *role, struct fault *fault);

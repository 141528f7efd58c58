/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * run_lock.h - at most one `run` for each pin directory
 *
 * It locks a directory beside the pins, which only root can reach, and which
 * exists before `up` and after `down`.
 */
#pragma once

#include "common/kernel/lock.h"
#include "common/kernel/role.h"

/* Returns an fd, or -1 with a fault: another one runs. */
int run_lock(const struct role *role, struct fault *fault);
/* Takes run_lock()'s fd; -1 is none. */
void run_unlock(const struct role *role, int fd);
/* Is one running here? 1, 0, or -1 with a fault if that is unknown. */
int run_is_alive(const struct role *role, struct fault *fault);

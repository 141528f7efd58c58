/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * secrets.h - the map `secrets`, by which flows are found
 */
#pragma once

#include "common/core/abi.h"
#include "common/kernel/kernel.h"

/* Each returns 0, or -1 with errno. The memory is to be wiped after use. */
int secrets_read(const struct kernel *kernel, struct secrets *secrets);
int secrets_write(const struct kernel *kernel, const struct secrets *secrets);
/* Draws secrets if the map is new. Returns 0, or -1 with a fault. */
int secrets_make(const struct kernel *kernel, struct fault *fault);

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * show.h - what the sections of `lbr show` share
 */
#pragma once

#include <jansson.h>

#include "LoadBalancer/generation/read.h"

/* What is read before any of it is printed. */
struct show {
	struct running running;
	struct backend_count *counts; /* BACKEND_SLOTS of them */
};

/* show_states.c: a section's rows; NULL with errno. */
json_t *services_rows(const struct kernel *kernel, const struct show *show);
json_t *backends_rows(const struct kernel *kernel, const struct show *show);

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * restores.h - build a generation's table of what is restored
 */
#pragma once

#include "common/core/abi_services.h"

/* Without any row. */
void restores_clear(struct restores *restores);

/*
 * Adds a row. Returns 0; 1 if there is a row of this key, which stays as it is;
 * or -1 if there are MAX_RESTORES.
 */
int restores_add(struct restores *restores, const struct restore_key *key,
		 const struct restore *restore);

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * bird.h - which routes a bird on this host has passed on to its neighbours
 */
#pragma once

#include <stdbool.h>

#include "common/core/abi.h"

struct bird {
	char *said;  /* what birdc printed of routes; NULL: no bird answers */
	char by[64]; /* its protocols whose session is up: "to_a, to_b" */
};

/* Asks it. Waits 2 s at most for each answer; bird_free() is due. */
void bird_ask(struct bird *bird);
void bird_free(struct bird *bird);
/* Has it passed on a route to this address? To whom: `to`, 64 bytes. */
bool bird_exports(const struct bird *bird, const struct addr *vip, char *to);

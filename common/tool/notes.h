/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * notes.h - rows of the map `changes`, for change.c
 */
#pragma once

#include "common/tool/change.h"

/* Reads row `i`; false behind the last. */
bool change_at(int map, __u32 i, struct change *change);
/* Forgets row `i`: those behind it move up. */
void change_forget(int map, __u32 i);

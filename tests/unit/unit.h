/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * unit.h - cmocka, with the headers it wants first
 */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

/* The core is tested under several compilers; the name tells which. */
#ifdef __clang__
#define COMPILER "clang"
#else
#define COMPILER "gcc"
#endif

/* How many random cases a test draws: an eighth in `make quick`. */
static inline int draws(int all)
{
	return getenv("FEW_DRAWS") ? all / 8 : all;
}

#define RUN(name, tests)                                                       \
	cmocka_run_group_tests_name(name " (" COMPILER ")", tests, NULL, NULL)

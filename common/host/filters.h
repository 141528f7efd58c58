/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * filters.h - the programs behind XDP (clsact.h), as the file wants them
 */
#pragma once

#include "common/kernel/clsact.h"

/*
 * Is `program` to be attached there? False also if `run` leaves it alone:
 * somebody has removed it twice, see change_again().
 */
bool filter_is_missing(struct kernel *kernel, const char *interface,
		       enum clsact where, const char *program);
/*
 * Unless it is wanted: detaches it from all interfaces, and forgets where `run`
 * has left it alone.
 */
void filters_settle(struct kernel *kernel, enum clsact where,
		    const char *program, bool wanted);

// SPDX-License-Identifier: GPL-2.0-only
/*
 * run.c - `bkd run`: for who looks, and nothing else
 *
 * So it need not wait for xdp_bkd: that it is not up is what is to be told.
 */
#include "common/tool/run.h"

#include "Backend/bkd.h"
#include "common/tool/options.h"

int bkd_run(const struct role *role, const struct options *options)
{
	static const struct work nothing;

	return run_work(role, options, &nothing);
}

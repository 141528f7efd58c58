/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * verbs.h - bkd's part of the verbs that both tools have
 */
#pragma once

#include "common/kernel/kernel.h"
#include "common/serve/metrics.h"

/* run.c: the verb; status.c, metrics.c: what it tells */
int bkd_run(const struct role *role, const struct options *options);
extern const struct status_source bkd_status_source;
extern const struct metric bkd_metrics[];
/* show.c */
extern const struct section bkd_sections[];

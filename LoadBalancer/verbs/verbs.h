/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * verbs.h - lbr's own verbs, and its part of those that both tools have
 */
#pragma once

#include "common/kernel/kernel.h"
#include "common/serve/metrics.h"

/* override.c: one backend changed, in the running state only; what that is */
int verb_drain(const struct role *role, const struct options *options);
int verb_undrain(const struct role *role, const struct options *options);
int verb_weight(const struct role *role, const struct options *options);
int verb_save(const struct role *role, const struct options *options);
/* plan.c: which files lead from what runs to another one */
int verb_plan(const struct role *role, const struct options *options);
/* run.c: the verb; status.c, metrics.c: what it serves, from a struct
 * lbr_monitor */
int lbr_run(const struct role *role, const struct options *options);
extern const struct status_source lbr_status_source;
extern const struct metric lbr_metrics[];
/* leave.c: the verb; and what `down` does first, see role->leave */
int verb_leave(const struct role *role, const struct options *options);
int lbr_leave(const struct role *role, bool *announced, struct fault *fault);
/* forget.c: what was learned from packets, given up */
int verb_forget(const struct role *role, const struct options *options);
/* watch.c: print decisions as they are made */
int verb_watch(const struct role *role, const struct options *options);
/* explain.c: what would become of a packet */
int verb_explain(const struct role *role, const struct options *options);
/* show.c */
extern const struct section lbr_sections[];

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * doctor.h - what lbr looks at, besides what both tools look at; see doctor.c
 */
#pragma once

#include "common/doctor/doctor.h"

/* nat.c */
void look_nat(struct doctor *doctor);
void look_waiting(struct doctor *doctor);
/* workers.c */
void look_workers(struct doctor *doctor);
/* vips.c */
void look_vips(struct doctor *doctor);
/* paths.c */
void look_next_hops(struct doctor *doctor);
/* announced.c */
void look_announced(struct doctor *doctor);
/* mtu.c */
void look_mtu(struct doctor *doctor);
/* answers.c */
void look_run(struct doctor *doctor);
/* The command that starts `lbr run`. */
void mend_run(struct doctor *doctor);
void look_services(struct doctor *doctor);
void look_answers(struct doctor *doctor);
/* claims.c */
void look_claims(struct doctor *doctor);
/* own.c */
void look_own_vips(struct doctor *doctor);
/* overdue.c: part of `transitions`; for a load balancer that is up */
void overdue_look(struct doctor *doctor);
/* firewall.c */
void look_firewall(struct doctor *doctor);

/* In the order in which they are made. */
extern const struct examination lbr_examinations[];

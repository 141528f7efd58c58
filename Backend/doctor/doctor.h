/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * doctor.h - what bkd looks at besides what both tools do; see doctor.c
 */
#pragma once

#include "common/doctor/doctor.h"

/* Those of the file's services that this host is a backend of. */
struct served {
	const struct config_service **services;
	size_t count;
};
/* Returns 0, or -1, which the doctor has told; free(served->services). */
int served_read(struct doctor *doctor, struct served *served);

/* doctor_server.c */
void look_listeners(struct doctor *doctor);
void look_replies(struct doctor *doctor);
/* doctor_firewall.c */
void look_firewall(struct doctor *doctor);

/* In the order in which they are made. */
extern const struct exam bkd_exams[];

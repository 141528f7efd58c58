/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * doctor.h - what bkd looks at, besides what both tools look at; see doctor.c
 */
#pragma once

#include "common/doctor/doctor.h"
#include "common/net/sockets.h"

/* The services of the file that have this host as a backend. */
struct served {
	const struct config_service **services;
	const struct config_backend **backends; /* each one's that is here */
	size_t count;
};
/* Returns 0, or -1 after reporting it; served_free() is due after 0. */
int served_read(struct doctor *doctor, struct served *served);
void served_free(struct served *served);

/* server.c */
void look_listeners(struct doctor *doctor);
void look_replies(struct doctor *doctor);
/*
 * Would one of these sockets receive the service's packets? `here`: its backend
 * on this host.
 */
bool has_listener(const struct config_service *service,
		  const struct config_backend *here,
		  const struct socket_row *sockets, int count);
/*
 * other_namespaces.c: a process in another network namespace that has the VIP
 * and a listener for the service. 0: none is seen.
 */
int listens_elsewhere(const struct config_service *service,
		      const struct config_backend *here);
/* second_chance.c */
void look_second_chance(struct doctor *doctor);
/* firewall.c */
void look_firewall(struct doctor *doctor);

/* In the order in which they are made. */
extern const struct examination bkd_examinations[];

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * lbr.h - the rooms of lbr, as its table of verbs and its role see them
 */
#pragma once

#include "common/tool/kernel.h"
#include "common/tool/metrics.h"

/* build.c: the file as a generation, aside */
int lbr_build(struct kernel *kernel, const struct config *config, __u32 slot,
	      struct generation *generation, struct fault *fault);
/* difference.c: what changes between two generations, a line each */
int lbr_difference(struct kernel *kernel, __u32 before, __u32 after, FILE *out);
/* flows.c: the flow table's size, and its entries across a change of it */
int lbr_prepare(struct kernel *kernel, const struct config *config,
		struct fault *fault);
int lbr_carry_over(struct kernel *kernel, bool again, struct fault *fault);
/* secrets.c: fills the map `secrets` of a load, where that is new; 0 or -1 */
int secrets_make(const struct kernel *kernel, struct fault *fault);
/* host.c: forwarding on, redirects off */
int lbr_host(struct kernel *kernel, const struct config *config,
	     const char *const *interfaces, struct fault *fault);
/* own.c: what the user should know of VIPs that this host has, or lacks */
void lbr_notes(const struct config *config, FILE *out);
/* refused.c: packets that the kernel's redirect refuses are counted as such */
int lbr_refused(const struct kernel *kernel, struct fault *fault);
/* claims.c: VIPs answered for by ARP and ND, as the file says */
int lbr_claims(struct kernel *kernel, const struct config *config,
	       const char *const *names, struct fault *fault);
void lbr_claims_settle(struct kernel *kernel, const struct config *config);
/* neighbours.c: next hops kept fresh, and those no longer needed let go */
void lbr_neighbours(struct kernel *kernel, const struct config *config);
void lbr_neighbours_settle(struct kernel *kernel, const struct config *config);
/* hand.c: one backend changed, in the running state only; what that is */
int verb_drain(const struct role *role, const struct options *options);
int verb_undrain(const struct role *role, const struct options *options);
int verb_weight(const struct role *role, const struct options *options);
int verb_save(const struct role *role, const struct options *options);
/* run.c: the verb; status.c, metrics.c: what it tells, of a struct follow */
int lbr_run(const struct role *role, const struct options *options);
extern const struct telling lbr_telling;
extern const struct metric lbr_metrics[];
/* passage.c: what `lbr run` alone loads */
#define CHECK_PROGRAM "xdp_lbr_check"
struct sockaddr_storage;
unsigned int socket_address(struct sockaddr_storage *to,
			    const struct addr *address, __be16 port);
/* forget.c: what was learned from packets, given up */
int verb_forget(const struct role *role, const struct options *options);
/* watch.c: decisions as they are made */
int verb_watch(const struct role *role, const struct options *options);
/* explain.c: what would become of a packet */
int verb_explain(const struct role *role, const struct options *options);
/* doctor.c */
extern const struct exam lbr_exams[];
/* show.c */
extern const struct section lbr_sections[];

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * relevant.h - which rtnetlink messages matter to the load balancer
 *
 * A host with a full Internet table hears of thousands of routes a second. One
 * matters if a backend's address is in it, or if it is the first that may give
 * two packets to one destination different next hops. Reading all routes takes
 * long there, so that takes at most a hundredth of the time.
 */
#pragma once

#include "common/net/monitor.h"
#include "common/net/routes.h"

struct config;
struct kernel;

#define RELEVANT_HOPS  512
#define RELEVANT_PORTS 256

struct relevant {
	struct addr *backends; /* sorted, each once */
	size_t backend_count;
	struct route_hop hops[RELEVANT_HOPS]; /* neighbours that we manage */
	int hop_count;
	/* Interfaces whose carrier is known; `rose`: it has come back. */
	struct {
		int ifindex;
		bool runs, rose;
	} ports[RELEVANT_PORTS];
	int port_count;
	bool is_lost;	    /* messages were; nothing is known of carriers */
	bool by_flow;	    /* as the running generation has it */
	bool is_by_flow;    /* a message has said so */
	bool is_asked;	    /* all routes have to be looked through ... */
	long asked, asking; /* ... were last, and what it cost: ms */
};

/* The backends of `config`. 0, or -1 with a fault: no memory. */
int relevant_backends(struct relevant *relevant, const struct config *config,
		      struct fault *fault);
void relevant_free(struct relevant *relevant);

/* For struct upkeep, with a struct relevant. */
unsigned int relevant_message(struct relevant *relevant,
			      const struct nlmsghdr *message,
			      enum monitor_what what);
int relevant_look(struct relevant *relevant, struct kernel *kernel,
		  const struct config *config, unsigned int what,
		  struct fault *fault);

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * local.h - this host's servers, checked from here
 *
 * Each service whose checks are reported by heartbeats, once for each address
 * of this host that is a backend of it. It is asked at the VIP if that is an
 * address of this host, else at the backend's address: never over the network,
 * where another backend would answer.
 */
#pragma once

#include "common/base/fault.h"
#include "common/config/health.h"
#include "common/core/abi_services.h"
#include "common/heartbeat/wire.h"
#include "common/probe/probe.h"

struct locals;

struct local {
	struct locals *all;
	struct service_key service;
	struct addr backend; /* as the file has it */
	struct config_check check;
	struct health health;
	char why[WHY]; /* of the last check that was bad */
	struct probe probe;
	bool under_way;
	struct event *next;
	__u32 flows, moved; /* see local_flows_read() */
};

struct locals {
	struct prober prober;
	struct local **rows; /* sorted by service and backend */
	size_t count;
	void (*changed)(void *data); /* a finding has */
	void *data;
};

/*
 * Checks what this file has for these addresses of this host. What is still
 * there keeps what is known. 0, or -1 with a fault.
 */
int locals_sync(struct locals *locals, const struct config *config,
		const struct addr *own, int own_count, struct fault *fault);
void locals_stop(struct locals *locals);
/* What a heartbeat says of it. */
void local_say(const struct local *local, struct heartbeat_service *service);

/*
 * flows.c: counts connections into the rows. 0, or -1 or KERNEL_NOT_UP with a
 * fault.
 */
struct role;
int local_flows_read(const struct role *role, struct locals *locals,
		     struct fault *fault);

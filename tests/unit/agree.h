/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * agree.h - keys of a service that were drawn one by one, made to agree
 */
#pragma once

#include <arpa/inet.h>
#include <stdbool.h>
#include <string.h>

#include "common/config/config.h"
#include "common/config/transition.h"
#include "common/core/method.h"
#include "common/core/scheduler.h"

/* Combinations of keys are not tested here. */
static void agree(struct config_service *service, __u8 dscp)
{
	struct method *method = &service->method;

	method->dscp = method_is_by_mark(method) ? dscp : 0;
	if (!method_overwrites_vip(method))
		method->checksum = CHECKSUM_KEEP;
	if (service->protocol != IPPROTO_UDP || method_returns(method))
		service->by_address = false;
	if (service->protocol == IPPROTO_UDP ||
	    !scheduler_is_function(service->scheduler) ||
	    !method_overwrites_vip(method) ||
	    service->on_all_down == ALL_DOWN_PASS)
		service->flows = FLOWS_REMEMBER;
}

/* What workers have, and they alone. `number`: of the service. */
static void agree_workers(struct config_service *service, __u16 number)
{
	bool may = service->protocol == IPPROTO_UDP && service->port &&
		   !service->by_address && !method_returns(&service->method);

	if (service->scheduler == SCHEDULER_WORKERS && !may)
		service->scheduler = SCHEDULER_MAGLEV;
	if (service->scheduler != SCHEDULER_WORKERS) {
		service->threads = 0;
		service->release = 0;
		memset(service->release_key, 0, sizeof(service->release_key));
		return;
	}
	service->release = htons(number);
	if (!service->threads)
		service->threads = 1;
	if (service->load_balancers > service->threads)
		service->load_balancers = service->threads;
}

/* By one way at least, and in no table of the host; or left out. */
static void agree_announce(struct config_announce *announce)
{
	if (!announce->metric)
		return;
	if (announce->table >= 253 && announce->table <= 255)
		announce->table = 252;
	if (*announce->track_files)
		*announce->track_files = '/';
	if (*announce->hook || !announce->table)
		*announce->hook = '/';
	if (announce->metric_unfit <= announce->metric) {
		announce->metric = 1 + announce->metric / 2;
		announce->metric_unfit = announce->metric + 1;
	}
}

static void agree_minimum_up(struct config_service *service)
{
	if (service->minimum_up < SHARE_PERCENT)
		service->minimum_up %= 1 + (__u32)service->backend_count;
	service->minimum_up += !service->minimum_up;
}

/*
 * As the keys of a state require: two weights, and few backends in transition.
 */
static void stand(struct config_backend *backend, size_t number)
{
	if (backend->state == STATE_DRAINING || backend->drain ||
	    number >= MOST_IN_TRANSITION)
		backend->state = STATE_ACTIVE;
	if (backend->state == STATE_FILLING || backend->drain ||
	    number >= MOST_IN_TRANSITION ||
	    backend->weight_before == backend->weight)
		backend->weight_before = 0;
	if (number >= MOST_IN_TRANSITION)
		backend->drain = false;
}

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * workers.h - queues of services of `scheduler: workers`
 */
#pragma once

#include <linux/types.h>

/*
 * How many requests may wait for the service of this id (struct service.id); 0:
 * it has no queue. `queues`: fd of the map.
 */
__u32 workers_queue_size(int queues, __u32 service);

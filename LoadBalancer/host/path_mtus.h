/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * path_mtus.h - how large a packet reaches a backend, as the program has it
 */
#pragma once

#include <jansson.h>

#include "LoadBalancer/generation/read.h"
#include "common/net/routes.h"

/* What locked routes say, collected and then written; see neighbours.c. */
struct route_mtus {
	struct route_mtu {
		struct addr to;
		__u32 mtu;
	} * rows;
	size_t count;
};

/* Notes the least of the ways to a backend; `count` of them. */
void route_mtus_note(struct route_mtus *mtus, const struct addr *backend,
		     const struct way *ways, int count);
/* Makes the map equal to them, and frees them. */
void route_mtus_write(const struct kernel *kernel, struct route_mtus *mtus);

/*
 * The MTU of the way to a backend, without any outer header, and what says so:
 * "interface", "route", "file" or "router". 0: there is no way. `file`: the
 * backend's `mtu:`.
 */
struct path_size {
	__u32 mtu;
	const char *by;
};
struct path_size path_size(const struct kernel *kernel,
			   const struct addr *backend, __u32 file);

/* A section of `show`: what routers have told, and for how long it holds. */
json_t *path_mtus_rows(const struct kernel *kernel, struct fault *fault);
/*
 * Forgets what was told of the way to a backend; NULL: to all. Returns their
 * number, or -1 with errno.
 */
int path_mtus_forget(const struct kernel *kernel, const struct addr *backend);
/* The same of those whose `mtu:` is another in the file than what runs. */
void path_mtus_settle(const struct kernel *kernel, const struct config *config);

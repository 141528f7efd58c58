/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * check_path.h - the path of health checks: sockets in a network namespace of
 * their own, xdp_lbr_check on the way out of it, xdp_lbr on the way back
 */
#pragma once

#include "LoadBalancer/health/check_netns.h"
#include "common/probe/probe.h"
#include "common/core/abi_services.h"
#include "common/core/check.h"
#include "common/core/reason.h"
#include "common/kernel/kernel.h"

struct check_path {
	struct kernel kernel;	     /* this run's own object; holds no lock */
	const struct config *config; /* the caller's: the VIPs */
	struct check_netns netns;
	int link, checks, interfaces; /* fds */
	int ioctls;		      /* a socket of the host's namespace */
	__u32 id;		      /* of a pinned map that it uses */
	__u32 far;		      /* ifindex of CHECK_FAR */
	bool needs_pass; /* check_netns_pass(), if replies come natively */
};

/* What a socket is for. */
struct check_end {
	struct addr vip, backend;
	__be16 port;	  /* of the VIP */
	__u32 backend_id; /* struct backend.id */
	__u8 protocol;	  /* IPPROTO_TCP or IPPROTO_UDP */
};

/* How probes use it: fills in *calls. */
void check_path_calls(struct check_path *path, struct probe_path *calls);
/* One that is not open. */
void check_path_init(struct check_path *path, const struct config *config);
/* Returns 0, or -1 with a fault; KERNEL_NOT_UP. */
int check_path_open(struct check_path *path, const struct role *role,
		    struct fault *fault);
void check_path_close(struct check_path *path);
/* Has something that it uses been replaced or removed? */
bool check_path_is_stale(const struct check_path *path);

/*
 * Makes a socket whose packets go to end->vip through end->backend. It is bound
 * to an address of this host that the backend can answer, and not connected
 * yet. `*key` identifies it later. `*elsewhere`: ifindex of the interface by
 * which its answers will come, if xdp_lbr is not attached there; else 0.
 * Returns its fd, or -1 with errno.
 */
int check_path_socket(struct check_path *path, const struct check_end *end,
		      struct check_key *key, int *elsewhere);
/* The reason of its last packet out; REASON_NONE: none was seen. */
enum reason check_path_reason(const struct check_path *path,
			      const struct check_key *key);
/*
 * Has the kernel ask for the MAC addresses of a backend's next hops. Clients'
 * packets have it do so, checks do not, and not all next hops are managed:
 * there are none before Linux 5.16, and it forgets those that have failed.
 */
void check_path_ask(const struct addr *backend);
/*
 * Removes the entry of `key`, unless it is another backend's by now. Call it
 * some time after the socket was closed: until then late packets go to the
 * namespace, and the host's kernel does not answer them with a reset.
 */
void check_path_forget(const struct check_path *path,
		       const struct check_key *key, __u32 backend_id);

/* What `lbr run` alone loads. */
#define CHECK_PROGRAM "xdp_lbr_check"

// SPDX-License-Identifier: GPL-2.0-only
#include "LoadBalancer/passage.h"

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <errno.h>
#include <linux/if_link.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "LoadBalancer/lbr.h"
#include "common/core/address.h"
#include "common/core/inline.h"
#include "common/tool/change.h"
#include "common/tool/detour.h"

#define PINNED "/sys/fs/bpf/l3dsr/lbr-" L3DSR_LAYOUT "/generations"

/* The id of a map; 0: it is none. Closes it. */
static __u32 map_id(int fd)
{
	struct bpf_map_info info = {0};
	__u32 length = sizeof(info);

	if (fd < 0)
		return 0;
	bpf_obj_get_info_by_fd(fd, &info, &length);
	close(fd);
	return info.id;
}

bool passage_is_stale(const struct passage *passage)
{
	/* Not through kernel_open(): it would wait for who changes things. */
	return map_id(bpf_obj_get(PINNED)) != passage->id;
}

static int attach(struct passage *passage, struct fault *fault_out)
{
	LIBBPF_OPTS(bpf_link_create_opts, options, .flags = XDP_FLAGS_SKB_MODE);

	passage->link = bpf_link_create(passage->kernel.program,
					(int)if_nametoindex(DETOUR_FAR),
					BPF_XDP, &options);
	if (passage->link >= 0)
		return 0;
	return fault(fault_out, "cannot attach %s to %s: %s", CHECK_PROGRAM,
		     DETOUR_FAR, strerror(errno));
}

int passage_open(struct passage *passage, const struct role *role,
		 struct fault *fault_out)
{
	struct kernel *kernel = &passage->kernel;
	int rc;

	passage->link = passage->checks = -1;
	rc = kernel_open(kernel, role, ACCESS_CHANGE, fault_out);
	/* `down` removes it, if this process cannot. */
	rc = rc ?: change_note(kernel, "detour", DETOUR_NEAR, "", fault_out);
	rc = rc ?: detour_make(fault_out);
	rc = rc ?: kernel_load_beside(kernel, CHECK_PROGRAM, fault_out);
	rc = rc ?: attach(passage, fault_out);
	if (!rc) {
		passage->checks = kernel_map(kernel, "checks");
		passage->id = map_id(kernel_map(kernel, "generations"));
	} else {
		passage_close(passage);
		return rc;
	}
	close(kernel->lock);
	kernel->lock = -1;
	return 0;
}

void passage_close(struct passage *passage)
{
	if (passage->checks >= 0)
		close(passage->checks);
	if (passage->link >= 0)
		close(passage->link);
	passage->link = passage->checks = -1;
	passage->id = 0;
	kernel_close(&passage->kernel);
	memset(&passage->kernel, 0, sizeof(passage->kernel));
	passage->kernel.lock = passage->kernel.old_flows =
		passage->kernel.old_flow_keys = -1;
	detour_remove();
}

unsigned int socket_address(struct sockaddr_storage *to,
			    const struct addr *address, __be16 port)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *)to;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)to;

	memset(to, 0, sizeof(*to));
	if (addr_is_ipv4(address)) {
		v4->sin_family = AF_INET;
		v4->sin_port = (FORCE in_port_t)port;
		v4->sin_addr.s_addr = (FORCE in_addr_t)address->w[3];
		return sizeof(*v4);
	}
	v6->sin6_family = AF_INET6;
	v6->sin6_port = (FORCE in_port_t)port;
	memcpy(&v6->sin6_addr, address, sizeof(*address));
	return sizeof(*v6);
}

/* From which address the kernel would speak to this one. */
static int source_for(const struct addr *to, struct sockaddr_storage *source,
		      socklen_t *length)
{
	struct sockaddr_storage peer;
	socklen_t size = socket_address(&peer, to, bpf_htons(9));
	int fd = socket(peer.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int rc = -1;

	*length = sizeof(*source);
	if (fd >= 0 && !connect(fd, (struct sockaddr *)&peer, size))
		rc = getsockname(fd, (struct sockaddr *)source, length);
	if (fd >= 0)
		close(fd);
	return rc;
}

/*
 * Where the VIP is of another family than the backend, or there is no way to
 * it (xdp_lbr_check will say why): what ICMP errors are sent from, by where
 * checks count as come in.
 */
static int source_across(const struct passage *passage, bool is_ipv4,
			 struct sockaddr_storage *source, socklen_t *length)
{
	int fd = kernel_map(&passage->kernel, "interfaces");
	struct interface interface = {0};
	const struct addr *own = &interface.own[!is_ipv4];
	__u32 first = 0;

	if (fd < 0)
		return -1;
	bpf_map_lookup_elem(fd, &first, &interface);
	close(fd);
	*length = socket_address(source, own, 0);
	if (own->w[3])
		return 0;
	errno = EADDRNOTAVAIL;
	return -1;
}

static void key_of(struct check_key *key, const struct sockaddr_storage *own,
		   __u8 protocol)
{
	const struct sockaddr_in *v4 = (const struct sockaddr_in *)own;
	const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)own;

	memset(key, 0, sizeof(*key));
	key->protocol = protocol;
	if (own->ss_family == AF_INET) {
		addr_set_v4(&key->source, (FORCE __be32)v4->sin_addr.s_addr);
		key->port = (FORCE __be16)v4->sin_port;
	} else {
		memcpy(&key->source, &v6->sin6_addr, sizeof(key->source));
		key->port = (FORCE __be16)v6->sin6_port;
	}
}

int passage_bind(struct passage *passage, int fd, __u8 protocol,
		 const struct addr *vip, const struct addr *backend, __u32 id,
		 struct check_key *key)
{
	bool is_ipv4 = addr_is_ipv4(vip);
	struct check check = {.backend = id, .reason = REASON_NONE};
	struct sockaddr_storage own = {0};
	__u32 mark = DETOUR_MARK;
	socklen_t length;

	if (setsockopt(fd, SOL_SOCKET, SO_MARK, &mark, sizeof(mark)) ||
	    ((addr_is_ipv4(backend) != is_ipv4 ||
	      source_for(backend, &own, &length)) &&
	     source_across(passage, is_ipv4, &own, &length)))
		return -1;
	((struct sockaddr_in *)&own)->sin_port = 0; /* IPv6's lies there too */
	if (bind(fd, (struct sockaddr *)&own, length) ||
	    getsockname(fd, (struct sockaddr *)&own, &length))
		return -1;
	key_of(key, &own, protocol);
	return bpf_map_update_elem(passage->checks, key, &check, BPF_ANY);
}

enum reason passage_reason(const struct passage *passage,
			   const struct check_key *key)
{
	struct check check;

	if (bpf_map_lookup_elem(passage->checks, key, &check))
		return REASON_NONE;
	return check.reason;
}

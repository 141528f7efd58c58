// SPDX-License-Identifier: GPL-2.0-only
#include "LoadBalancer/health/check_path.h"

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <errno.h>
#include <linux/if_link.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base/address.h"
#include "common/core/abi_packets.h"
#include "common/core/address.h"
#include "common/core/inline.h"
#include "common/host/check_veth.h"
#include "common/net/neighbours.h"
#include "common/net/routes.h"

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

/* Do replies come by native XDP, from any interface? */
static bool is_native(const struct check_path *path)
{
	struct interface row;
	__u32 i;

	for (i = 0; i < MAX_INTERFACES; i++) {
		if (bpf_map_lookup_elem(path->interfaces, &i, &row) ||
		    !row.ifindex)
			return false;
		if (!row.generic)
			return true;
	}
	return false;
}

/* Has the veth a program at its other end, where one is needed, and only there?
 */
static bool is_furnished(const struct check_path *path)
{
	return !path->needs_pass || (path->netns.pass >= 0) == is_native(path);
}

bool check_path_is_stale(const struct check_path *path)
{
	/* Not by kernel_open(), which would wait for a change to end. */
	return map_id(bpf_obj_get(PINNED)) != path->id ||
	       if_nametoindex(CHECK_FAR) != path->far || !is_furnished(path);
}

void check_path_init(struct check_path *path, const struct config *config)
{
	memset(path, 0, sizeof(*path));
	path->config = config;
	path->kernel.lock = path->kernel.program = -1;
	path->netns.host = path->netns.own = path->netns.pass = -1;
	path->link = path->checks = path->interfaces = -1;
	path->ioctls = -1;
}

static int attach(struct check_path *path, struct fault *fault_out)
{
	LIBBPF_OPTS(bpf_link_create_opts, options, .flags = XDP_FLAGS_SKB_MODE);

	path->link = bpf_link_create(path->kernel.program, (int)path->far,
				     BPF_XDP, &options);
	if (path->link >= 0)
		return 0;
	return fault(fault_out, "cannot attach %s to %s: %s", CHECK_PROGRAM,
		     CHECK_FAR, strerror(errno));
}

/* Removes the entries of a killed process. */
static void rows_forget(int checks)
{
	struct check_key key;

	while (!bpf_map_get_next_key(checks, NULL, &key) &&
	       !bpf_map_delete_elem(checks, &key))
		;
}

/* From here on, replies are redirected. */
static int hand_over(struct check_path *path, struct fault *fault_out)
{
	__u32 zero = 0;
	int veth, rc;

	path->checks = kernel_map(&path->kernel, "checks");
	path->interfaces = kernel_map(&path->kernel, "interfaces");
	path->ioctls = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	rows_forget(path->checks);
	path->needs_pass = !kernel_can_veth_gro();
	if (!is_furnished(path) && check_netns_pass(&path->netns, fault_out))
		return -1;
	veth = kernel_map(&path->kernel, "check_veth");
	rc = bpf_map_update_elem(veth, &zero, &path->far, BPF_ANY);
	if (rc)
		fault(fault_out,
		      "cannot have replies handed to " CHECK_FAR ": %s",
		      strerror(errno));
	if (veth >= 0)
		close(veth);
	return rc ? -1 : 0;
}

int check_path_open(struct check_path *path, const struct role *role,
		    struct fault *fault_out)
{
	struct kernel *kernel = &path->kernel;
	int rc;

	check_path_init(path, path->config);
	rc = kernel_open(kernel, role, ACCESS_TRY, fault_out);
	if (!rc)
		check_veth_remove();
	rc = rc ?: check_netns_make(&path->netns, fault_out);
	rc = rc ?: kernel_load_beside(kernel, CHECK_PROGRAM, fault_out);
	path->far = rc ? 0 : if_nametoindex(CHECK_FAR);
	rc = rc ?: attach(path, fault_out);
	rc = rc ?: hand_over(path, fault_out);
	if (rc) {
		check_path_close(path);
		return rc;
	}
	path->id = map_id(kernel_map(kernel, "generations"));
	kernel_unlock(kernel);
	return 0;
}

static void close_at(int fd)
{
	if (fd >= 0)
		close(fd);
}

void check_path_close(struct check_path *path)
{
	/* First, so that nothing is redirected any more. */
	check_netns_remove(&path->netns);
	close_at(path->ioctls);
	close_at(path->interfaces);
	close_at(path->checks);
	close_at(path->link);
	kernel_close(&path->kernel);
	check_path_init(path, path->config);
}

/* Is this address a VIP of the file? */
static bool is_vip(const struct check_path *path, const struct addr *address)
{
	size_t i;

	for (i = 0; i < path->config->service_count; i++) {
		if (!memcmp(&path->config->services[i].vip, address,
			    sizeof(*address)))
			return true;
	}
	return false;
}

/*
 * The first row of `interfaces` for this device (0: any) that has an address of
 * the family. False: there is none.
 */
static bool interface_of(const struct check_path *path, __u32 device,
			 bool is_ipv4, struct interface *row)
{
	__u32 i;

	for (i = 0; i < MAX_INTERFACES; i++) {
		if (bpf_map_lookup_elem(path->interfaces, &i, row) ||
		    !row->ifindex)
			break;
		if ((!device || row->device == device) &&
		    row->own[!is_ipv4].w[3])
			return true;
	}
	return false;
}

/* The interface by which a check counts as received, and its source address. */
struct sender {
	struct interface in;
	struct addr own;
	int elsewhere;
};

/*
 * The address and interface from which this host would speak to the backend:
 * the answer comes back there. If xdp_lbr is not attached to that interface, if
 * the VIP is of another family than the backend, or if there is no route to it
 * (xdp_lbr_check will say why): an address of an attached interface.
 */
static int sender_of(const struct check_path *path, const struct check_end *end,
		     struct sender *sender)
{
	bool is_ipv4 = addr_is_v4(&end->vip);
	struct fault ignored;
	struct next_hop hop;

	memset(sender, 0, sizeof(*sender));
	if (route_read(&end->backend, &hop, &ignored))
		return -1;
	if (!hop.ifindex ||
	    !interface_of(path, (__u32)hop.ifindex, is_ipv4, &sender->in)) {
		if (!interface_of(path, 0, is_ipv4, &sender->in)) {
			errno = EADDRNOTAVAIL;
			return -1;
		}
		sender->elsewhere = hop.ifindex;
		hop.source.w[3] = 0;
	}
	sender->own = sender->in.own[!is_ipv4];
	if (hop.source.w[3] && addr_is_v4(&hop.source) == is_ipv4 &&
	    memcmp(&hop.source, &sender->own, sizeof(hop.source)) &&
	    !is_vip(path, &hop.source))
		sender->own = hop.source;
	return 0;
}

static void key_of(struct check_key *key, const struct sockaddr_storage *own,
		   __u8 protocol)
{
	const struct sockaddr_in *v4 = (const struct sockaddr_in *)own;
	const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)own;

	memset(key, 0, sizeof(*key));
	key->protocol = protocol;
	if (own->ss_family == AF_INET) {
		addr_set_v4(&key->own, (FORCE __be32)v4->sin_addr.s_addr);
		key->port = (FORCE __be16)v4->sin_port;
	} else {
		memcpy(&key->own, &v6->sin6_addr, sizeof(key->own));
		key->port = (FORCE __be16)v6->sin6_port;
	}
}

/* Tells servers the interface's segment size: the veth takes more. */
static void segments_bound(const struct check_path *path, int fd,
			   const struct sender *sender)
{
	int most, headers = addr_is_v4(&sender->own) ? 40 : 60;
	struct ifreq request = {0};

	if (!if_indextoname(sender->in.device, request.ifr_name) ||
	    ioctl(path->ioctls, SIOCGIFMTU, &request))
		return;
	most = request.ifr_mtu - headers;
	setsockopt(fd, IPPROTO_TCP, TCP_MAXSEG, &most, sizeof(most));
}

static int prepare(struct check_path *path, int fd, const struct check_end *end,
		   const struct sender *sender, struct check_key *key)
{
	struct check check = {.vip = end->vip,
			      .port = end->port,
			      .backend = end->backend_id,
			      .ifindex = sender->in.ifindex,
			      .reason = REASON_NONE};
	struct sockaddr_storage own;
	socklen_t length = socket_address(&own, &sender->own, 0);

	if (end->protocol == IPPROTO_TCP)
		segments_bound(path, fd, sender);
	if (bind(fd, (struct sockaddr *)&own, length) ||
	    getsockname(fd, (struct sockaddr *)&own, &length))
		return -1;
	key_of(key, &own, end->protocol);
	return bpf_map_update_elem(path->checks, key, &check, BPF_ANY);
}

int check_path_socket(struct check_path *path, const struct check_end *end,
		      struct check_key *key, int *elsewhere)
{
	struct sender sender;
	int fd, error;

	if (sender_of(path, end, &sender))
		return -1;
	fd = check_netns_socket(
		&path->netns, addr_is_v4(&end->vip) ? AF_INET : AF_INET6,
		end->protocol == IPPROTO_UDP ? SOCK_DGRAM : SOCK_STREAM);
	if (fd < 0)
		return -1;
	*elsewhere = sender.elsewhere;
	if (!prepare(path, fd, end, &sender, key))
		return fd;
	error = errno;
	close(fd);
	errno = error;
	return -1;
}

enum reason check_path_reason(const struct check_path *path,
			      const struct check_key *key)
{
	struct check check;

	if (bpf_map_lookup_elem(path->checks, key, &check))
		return REASON_NONE;
	return check.reason;
}

void check_path_ask(const struct addr *backend)
{
	struct route_hop hops[MOST_ROUTE_HOPS];
	int count = route_hops_read(backend, hops, MOST_ROUTE_HOPS), i;

	for (i = 0; i < count; i++)
		neighbour_ask(hops[i].ifindex, &hops[i].via);
}

void check_path_forget(const struct check_path *path,
		       const struct check_key *key, __u32 backend_id)
{
	struct check check;

	if (!bpf_map_lookup_elem(path->checks, key, &check) &&
	    check.backend == backend_id)
		bpf_map_delete_elem(path->checks, key);
}

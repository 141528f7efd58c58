// SPDX-License-Identifier: GPL-2.0-only
/*
 * devices.c - devices that XDP cannot send out of
 *
 * A frame has an Ethernet header, and a tunnel's packets have none. In native
 * mode a frame leaves by another device through its driver's ndo_xdp_xmit,
 * which bridges, macvlans and many drivers lack, or have only under conditions
 * (veth: if the other end has an XDP program). bpf_redirect() does not report
 * this: the packet is lost. So the program hands such packets to the kernel,
 * and is told here which devices those are.
 */
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <errno.h>
#include <net/if_arp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "LoadBalancer/host/devices.h"
#include "common/base/address.h"
#include "common/config/method_names.h"
#include "common/core/abi.h"
#include "common/core/abi_services.h"
#include "common/kernel/map_replace.h"
#include "common/net/netlink.h"
#include "common/net/routes.h"
#include "common/net/xdp_features.h"

/* Before Linux 6.3, which reports it: devices known to have none. */
static bool kind_lacks_xmit(const char *kind)
{
	static const char *const kinds[] = {
		"bridge", "macvlan", "macvtap", "ipvlan", "ipvtap", "vxlan",
		"geneve", "dummy",   "ifb",	"vrf",	  "team",   "vlan"};
	size_t i;

	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (!strcmp(kind, kinds[i]))
			return true;
	}
	return false;
}

static __u32 lacks(const struct link *link, const struct xdp_features *all,
		   int count)
{
	__u32 lacks =
		link->type == ARPHRD_ETHER || link->type == ARPHRD_LOOPBACK
			? 0
			: DEVICE_NO_ETHERNET;
	int i;

	for (i = 0; i < count && all[i].ifindex != link->ifindex; i++)
		;
	if (i < count ? !all[i].xmit : kind_lacks_xmit(link->kind))
		lacks |= DEVICE_NO_XMIT;
	return lacks;
}

int devices_read(struct device **list, struct fault *fault_out)
{
	struct xdp_features *features = NULL;
	struct link *links = NULL;
	int count = links_read(&links, fault_out), told, i, found = 0;

	*list = NULL;
	if (count < 0)
		return -1;
	told = xdp_features_read(&features);
	*list = calloc((size_t)count + 1, sizeof(**list));
	for (i = 0; *list && i < count; i++) {
		(*list)[found].ifindex = (__u32)links[i].ifindex;
		(*list)[found].lacks = lacks(&links[i], features, told);
		found += !!(*list)[found].lacks;
	}
	free(features);
	free(links);
	return *list ? found
		     : fault(fault_out, "cannot list the interfaces: %s",
			     strerror(ENOMEM));
}

static __u32 device_lacks(const struct device *list, int count, int ifindex)
{
	int i;

	for (i = 0; i < count; i++) {
		if ((int)list[i].ifindex == ifindex)
			return list[i].lacks;
	}
	return 0;
}

const char *device_lacks_text(__u32 lacks)
{
	return lacks & DEVICE_NO_ETHERNET ? "has no Ethernet header"
					  : "takes no redirected frames "
					    "(no ndo_xdp_xmit)";
}

int devices_write(const struct kernel *kernel, struct fault *fault_out)
{
	struct device *list;
	int count = devices_read(&list, fault_out), i, rc = -1;
	__u32 *keys, *values;

	if (count < 0)
		return -1;
	if (count > MAX_DEVICES)
		count = MAX_DEVICES;
	keys = calloc((size_t)count + 1, sizeof(*keys));
	values = calloc((size_t)count + 1, sizeof(*values));
	for (i = 0; keys && values && i < count; i++) {
		keys[i] = list[i].ifindex;
		values[i] = list[i].lacks;
	}
	if (keys && values)
		rc = map_replace(kernel_map(kernel, "devices"), keys,
				 sizeof(*keys), values, sizeof(*values), count);
	if (rc)
		fault(fault_out, "cannot write devices: %s", strerror(errno));
	free(keys);
	free(values);
	free(list);
	return rc;
}

__u32 device_hinders(const struct kernel *kernel, const struct device *list,
		     int count, int ifindex)
{
	__u32 lacks = device_lacks(list, count, ifindex);
	int i;

	if (lacks & DEVICE_NO_ETHERNET)
		return DEVICE_NO_ETHERNET;
	/* What leaves by the interface it came in by is not redirected. */
	for (i = 0; lacks && i < kernel->attachment_count; i++) {
		if (kernel->attachments[i].mode == MODE_NATIVE &&
		    kernel->attachments[i].ifindex != ifindex)
			return lacks;
	}
	return 0;
}

const char *device_sender(const struct device *list, int count, int ifindex)
{
	__u32 lacks = device_lacks(list, count, ifindex);

	if (lacks & DEVICE_NO_ETHERNET)
		return "kernel: no Ethernet header";
	return lacks ? "xdp_lbr; native: kernel" : "xdp_lbr";
}

/* Whatever interface packets come in by? */
static bool hinders_all(const struct kernel *kernel, const struct device *list,
			int count, int ifindex)
{
	__u32 lacks = device_lacks(list, count, ifindex);
	int i;

	for (i = 0; i < kernel->attachment_count; i++) {
		if (kernel->attachments[i].mode != MODE_NATIVE ||
		    kernel->attachments[i].ifindex == ifindex)
			return lacks & DEVICE_NO_ETHERNET;
	}
	return lacks;
}

static int refuse(const struct config_service *service,
		  const struct addr *backend, int ifindex, __u32 lacks,
		  struct fault *fault_out)
{
	char text[INET6_ADDRSTRLEN], name[IF_NAMESIZE] = "?";
	char others[METHODS_TEXT];

	if_indextoname((unsigned)ifindex, name);
	fault(fault_out,
	      "cannot forward to backend %s by %s: the route leads out of %s, "
	      "which %s, so only the kernel could send there",
	      addr_text(backend, text), method_name(&service->method), name,
	      device_lacks_text(lacks));
	return fault_hint(fault_out,
			  "forward: %s for that service; or another route: ip "
			  "route get %s",
			  methods_text(method_is_for_kernel, " or ", others),
			  text);
}

static int refuse_backend(const struct kernel *kernel,
			  const struct device *list, int count,
			  const struct config_service *service,
			  const struct addr *backend, struct fault *fault_out)
{
	struct route_hop hops[MOST_ROUTE_HOPS];
	int hop_count = route_hops_read(backend, hops, MOST_ROUTE_HOPS), i;

	for (i = 0; i < hop_count; i++) {
		if (!hinders_all(kernel, list, count, hops[i].ifindex))
			return 0;
	}
	if (hop_count <= 0)
		return 0;
	return refuse(service, backend, hops[0].ifindex,
		      device_lacks(list, count, hops[0].ifindex), fault_out);
}

int devices_refuse(const struct kernel *kernel, const struct config *config,
		   struct fault *fault_out)
{
	const struct config_service *service = config->services;
	struct device *list = NULL;
	int count = -1, rc = 0;
	size_t s, b;

	for (s = 0; !rc && s < config->service_count; s++, service++) {
		if (method_is_for_kernel(&service->method))
			continue;
		if (count < 0)
			count = devices_read(&list, fault_out);
		rc = count < 0 ? -1 : 0;
		for (b = 0; !rc && count && b < service->backend_count; b++)
			rc = refuse_backend(kernel, list, count, service,
					    &service->backends[b].address,
					    fault_out);
	}
	free(list);
	return rc;
}

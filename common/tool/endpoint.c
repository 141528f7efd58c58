// SPDX-License-Identifier: GPL-2.0-only
#include <arpa/inet.h>
#include <stdio.h>

#include "common/core/inline.h"
#include "common/tool/endpoint.h"

const char *scheduler_name(__u8 scheduler)
{
	return scheduler == SCHEDULER_MAGLEV   ? "maglev"
	       : scheduler == SCHEDULER_RANDOM ? "random"
					       : "unknown";
}

const char *state_name(__u8 state)
{
	return state == BACKEND_ACTIVE	   ? "active"
	       : state == BACKEND_DRAINING ? "draining"
	       : state == BACKEND_DOWN	   ? "down"
					   : "absent";
}

const char *protocol_name(__u8 protocol)
{
	return protocol == IPPROTO_TCP ? "tcp" : "udp";
}

const char *endpoint_text(const struct addr *address, __be16 port, char *text)
{
	char name[INET6_ADDRSTRLEN], number[8] = "any";

	if (port)
		snprintf(number, sizeof(number), "%u", bpf_ntohs(port));
	snprintf(text, 64, addr_is_ipv4(address) ? "%s:%s" : "[%s]:%s",
		 addr_text(address, name), number);
	return text;
}

// SPDX-License-Identifier: GPL-2.0-only
#include "common/tool/health.h"

#include <netinet/in.h>

bool health_note(struct health *health, const struct config_check *check,
		 bool good)
{
	__u32 needed = health->up ? check->fall : check->rise;
	bool against = good != health->up;

	/* Nothing speaks for one that has never answered. */
	if (!health->proven)
		needed = 1;
	health->proven |= good;
	health->row = against ? health->row + 1 : 0;
	if (health->row < needed)
		return false;
	health->up = good;
	health->proven = true;
	health->row = 0;
	return true;
}

__u32 health_pause(const struct config_check *check, bool good)
{
	return good ? check->interval : check->interval - check->timeout;
}

int health_refuse(const struct config_service *service,
		  const struct refusal *refusal)
{
	const struct config_check *check = &service->check;
	bool udp = service->protocol == IPPROTO_UDP;

	if (check->type == CHECK_NONE)
		return 0;
	if (udp != (check->type == CHECK_UDP))
		return refuse(refusal, check->line,
			      "check: a service of %s is checked by %s, not by "
			      "this type",
			      udp ? "udp" : "tcp",
			      udp ? "udp" : "tcp, http or https");
	if (!service->port != !!check->port)
		return refuse(refusal, check->line,
			      service->port
				      ? "check: port must be left out; it is "
					"the service's"
				      : "check: port must be named, for the "
					"service is of any");
	if (check->timeout > check->interval / 2)
		return refuse(refusal, check->line,
			      "check: timeout must be at most half of "
			      "interval, which is %ums",
			      check->interval);
	if (check->path[0] != '/')
		return refuse(refusal, check->line,
			      "check: path must begin with /");
	return 0;
}

// SPDX-License-Identifier: GPL-2.0-only
#include "common/config/announce.h"

#include <linux/rtnetlink.h>

#include "common/config/refusal.h"

const char *announced_name(enum announced announced)
{
	static const char *const names[] = {
		[ANNOUNCED_NOT] = "withdrawn",
		[ANNOUNCED_UNFIT] = "unfit",
		[ANNOUNCED_FIT] = "fit",
	};

	return names[announced];
}

size_t service_needs(const struct config_service *service, size_t to_serve)
{
	__u32 share = service->minimum_up & ~SHARE_PERCENT;
	size_t needs = share;

	if (service->minimum_up & SHARE_PERCENT)
		needs = (to_serve * share + 99) / 100;
	return needs ?: 1;
}

size_t service_up(const struct config_service *service,
		  const struct service_tally *tally)
{
	return tally->to_serve - tally->down -
	       (service->check.type == CHECK_NONE ? 0 : tally->unknown);
}

bool service_is_fit(const struct config_service *service,
		    const struct service_tally *tally)
{
	return service_up(service, tally) >=
	       service_needs(service, tally->to_serve);
}

/*
 * To be added to the priority. A file that nobody has written yet counts as 0,
 * which must not be the best. -254 makes keepalived leave the VIP.
 */
int announced_priority(enum announced announced)
{
	return announced == ANNOUNCED_FIT     ? 20
	       : announced == ANNOUNCED_UNFIT ? 10
					      : -254;
}

static int check_path(const struct config_announce *announce, const char *key,
		      const char *path, const struct refusal *refusal)
{
	if (!*path || *path == '/')
		return 0;
	return refuse(refusal, announce->line,
		      "announce: %s \"%s\": must be an absolute path", key,
		      path);
}

static int check_announce(const struct config_announce *announce,
			  const struct refusal *refusal)
{
	if (!announce->table && !*announce->track_files && !*announce->hook)
		return refuse(refusal, announce->line,
			      "announce: names nothing to announce by: table, "
			      "track-files or hook");
	if (announce->table >= RT_TABLE_DEFAULT &&
	    announce->table <= RT_TABLE_LOCAL)
		return refuse(refusal, announce->line,
			      "announce: table %u: must not be %u to %u, by "
			      "which this host routes",
			      announce->table, RT_TABLE_DEFAULT,
			      RT_TABLE_LOCAL);
	if (announce->metric_unfit <= announce->metric)
		return refuse(refusal, announce->line,
			      "announce: metric-unfit %u: must be larger than "
			      "metric, which is %u",
			      announce->metric_unfit, announce->metric);
	return check_path(announce, "track-files", announce->track_files,
			  refusal)
		       ?: check_path(announce, "hook", announce->hook, refusal);
}

int announce_check(const struct config *config, const struct refusal *refusal)
{
	const struct config_service *service = config->services;
	size_t i;

	if (announces(config) && check_announce(&config->announce, refusal))
		return -1;
	for (i = 0; i < config->service_count; i++, service++) {
		if (service->minimum_up & SHARE_PERCENT ||
		    service->minimum_up <= service->backend_count)
			continue;
		return refuse(
			refusal, service->line,
			"service: minimum-up %u: must be at most %zu, the "
			"number of its backends",
			service->minimum_up, service->backend_count);
	}
	return 0;
}

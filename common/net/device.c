// SPDX-License-Identifier: GPL-2.0-only
#include "common/net/device.h"

#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

/* Returns 0, or -1. */
static int ask(const char *name, unsigned long question, struct ifreq *request)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), rc;

	if (fd < 0)
		return -1;
	strncpy(request->ifr_name, name, IF_NAMESIZE - 1);
	rc = ioctl(fd, question, request);
	close(fd);
	return rc;
}

__u32 device_flags(const char *name)
{
	struct ethtool_value flags = {.cmd = ETHTOOL_GFLAGS};
	struct ifreq request = {.ifr_data = (void *)&flags};

	return ask(name, SIOCETHTOOL, &request) ? 0 : flags.data;
}

bool device_merges(const char *name)
{
	struct ethtool_value gro = {.cmd = ETHTOOL_GGRO};
	struct ifreq request = {.ifr_data = (void *)&gro};

	return !ask(name, SIOCETHTOOL, &request) && gro.data;
}

int device_mtu(const char *name)
{
	struct ifreq request = {0};

	return ask(name, SIOCGIFMTU, &request) ? 0 : request.ifr_mtu;
}

bool device_resolves(const char *name)
{
	struct ifreq request = {0};

	return !ask(name, SIOCGIFFLAGS, &request) &&
	       !(request.ifr_flags & (IFF_NOARP | IFF_LOOPBACK));
}

bool device_runs(const char *name, bool *is_up)
{
	struct ifreq request = {0};
	int rc = ask(name, SIOCGIFFLAGS, &request);

	*is_up = !rc && request.ifr_flags & IFF_UP;
	return *is_up && request.ifr_flags & IFF_RUNNING;
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * other_namespaces.c - a server that listens in another network namespace
 *
 * Netlink answers for the namespace in which its socket was opened, so each
 * namespace is entered, as setns(2) allows, and left again.
 */
#define _GNU_SOURCE /* setns() */
#include <dirent.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "Backend/doctor/doctor.h"
#include "Backend/host/host.h"
#include "common/core/address.h"
#include "common/net/netlink.h"

/* The network namespaces of all processes, each by one of them. */
#define NAMESPACES 256
#define NAME	   32
struct namespaces {
	char names[NAMESPACES][NAME];
	int processes[NAMESPACES]; /* 0: this one */
	int count;
};

/* "/proc/PID/ns/net" */
static const char *namespace_path(int process, char path[64])
{
	if (process)
		snprintf(path, 64, "/proc/%d/ns/net", process);
	else
		strcpy(path, "/proc/self/ns/net");
	return path;
}

/* Unless its namespace is there already. */
static void namespace_add(struct namespaces *known, int process)
{
	char path[64], name[NAME];
	ssize_t length =
		readlink(namespace_path(process, path), name, sizeof(name) - 1);
	int i;

	if (length <= 0 || known->count == NAMESPACES)
		return;
	name[length] = '\0';
	for (i = 0; i < known->count; i++) {
		if (!strcmp(known->names[i], name))
			return;
	}
	strcpy(known->names[known->count], name);
	known->processes[known->count++] = process;
}

/* Read once: each service without a listener asks. [0] is our own. */
static const struct namespaces *namespaces(void)
{
	static struct namespaces known;
	struct dirent *entry;
	DIR *processes;

	if (known.count)
		return &known;
	namespace_add(&known, 0);
	processes = opendir("/proc");
	while (processes && (entry = readdir(processes))) {
		if (atoi(entry->d_name) > 0)
			namespace_add(&known, atoi(entry->d_name));
	}
	if (processes)
		closedir(processes);
	return &known;
}

/* fd of a process's namespace, or -1. */
static int namespace_open(int process)
{
	char path[64];

	return open(namespace_path(process, path), O_RDONLY | O_CLOEXEC);
}

/*
 * In the namespace that we are in: is the address on which the service's server
 * listens there, and a listener?
 */
static bool is_served(const struct config_service *service,
		      const struct config_backend *here)
{
	struct link_address *addresses;
	struct socket_row *sockets;
	bool has_address, is = false;
	struct fault ignored;
	int count;

	count = addresses_read(&addresses, &ignored);
	has_address =
		addresses_have(addresses, count, listened_at(service, here));
	if (count >= 0)
		free(addresses);
	count = has_address
			? sockets_read(service->protocol, &sockets, &ignored)
			: -1;
	if (count >= 0) {
		is = has_listener(service, here, sockets, count);
		free(sockets);
	}
	return is;
}

/* One that cannot be entered, by its rights or because it is gone, has none. */
static bool serves(int process, int own, const struct config_service *service,
		   const struct config_backend *here)
{
	int other = namespace_open(process);
	bool is = false;

	if (other >= 0 && !setns(other, CLONE_NEWNET)) {
		is = is_served(service, here);
		/* In another one, everything that follows would be wrong. */
		if (setns(own, CLONE_NEWNET)) {
			perror("bkd: cannot come back to the network "
			       "namespace");
			abort();
		}
	}
	if (other >= 0)
		close(other);
	return is;
}

int listens_elsewhere(const struct config_service *service,
		      const struct config_backend *here)
{
	const struct namespaces *known = namespaces();
	int own = namespace_open(0), process = 0, i;

	for (i = 1; own >= 0 && i < known->count && !process; i++) {
		if (serves(known->processes[i], own, service, here))
			process = known->processes[i];
	}
	if (own >= 0)
		close(own);
	return process;
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * elsewhere.c - a server that listens in another network namespace
 *
 * sock_diag(7) answers for the namespace of who asks; /proc/PID/net is that of
 * the process (proc_pid_net(5)), and readable without entering it.
 */
#include <arpa/inet.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "Backend/doctor/doctor.h"
#include "common/base/address.h"
#include "common/core/address.h"
#include "common/core/inline.h"

#define LISTENS	      0x0a /* TCP_LISTEN */
#define NOT_CONNECTED 0x07 /* TCP_CLOSE, of UDP */
#define HEX	      8	   /* digits of 32 bits */

/* The network namespaces of all processes, each by one of them. */
#define NAMESPACES 256
#define NAME	   32
struct namespaces {
	char names[NAMESPACES][NAME];
	char processes[NAMESPACES][NAME];
	int count;
};

static FILE *proc_open(const char *process, const char *file)
{
	char path[96];

	snprintf(path, sizeof(path), "/proc/%.16s/net/%s", process, file);
	return fopen(path, "re");
}

/* Unless its namespace is there already. */
static void namespace_add(struct namespaces *known, const char *process)
{
	char path[64], name[NAME];
	ssize_t length;
	int i;

	snprintf(path, sizeof(path), "/proc/%.16s/ns/net", process);
	length = readlink(path, name, sizeof(name) - 1);
	if (length <= 0 || known->count == NAMESPACES)
		return;
	name[length] = '\0';
	for (i = 0; i < known->count; i++) {
		if (!strcmp(known->names[i], name))
			return;
	}
	strcpy(known->names[known->count], name);
	snprintf(known->processes[known->count++], NAME, "%.16s", process);
}

/* Read once: each service without a listener asks. [0] is our own. */
static const struct namespaces *namespaces(void)
{
	static struct namespaces known;
	struct dirent *entry;
	DIR *processes;

	if (known.count)
		return &known;
	namespace_add(&known, "self");
	processes = opendir("/proc");
	while (processes && (entry = readdir(processes))) {
		if (atoi(entry->d_name) > 0)
			namespace_add(&known, entry->d_name);
	}
	if (processes)
		closedir(processes);
	return &known;
}

/*
 * Is the VIP an address there? fib_trie has routes to others, too; each is
 * followed by its types.
 */
static bool has_address(const char *process, const struct addr *vip)
{
	char line[256], wanted[64], text[INET6_ADDRSTRLEN];
	bool ipv4 = addr_is_v4(vip), is_vip = false, found = false;
	FILE *file = proc_open(process, ipv4 ? "fib_trie" : "if_inet6");

	if (ipv4)
		snprintf(wanted, sizeof(wanted), "|-- %s\n",
			 addr_text(vip, text));
	else
		snprintf(wanted, sizeof(wanted), "%08x%08x%08x%08x ",
			 bpf_ntohl(vip->w[0]), bpf_ntohl(vip->w[1]),
			 bpf_ntohl(vip->w[2]), bpf_ntohl(vip->w[3]));
	while (file && !found && fgets(line, sizeof(line), file)) {
		if (!ipv4 || strstr(line, "|-- "))
			is_vip = strstr(line, wanted);
		found = is_vip && (!ipv4 || strstr(line, " LOCAL"));
	}
	if (file)
		fclose(file);
	return found;
}

/* An address as /proc/net/tcp has it: words of 32 bits, as they lie. */
static void address_read(const char *text, struct addr *address)
{
	char word[HEX + 1] = "";
	__be32 words[4] = {0};
	size_t i, count = strlen(text) / HEX;

	for (i = 0; i < count && i < 4; i++) {
		memcpy(word, text + i * HEX, HEX);
		words[i] = (FORCE __be32)(__u32)strtoul(word, NULL, 16);
	}
	if (count == 1)
		addr_set_v4(address, words[0]);
	else
		addr_set_v6(address, words);
}

static bool is_any(const struct addr *address)
{
	static const __be32 any[4];
	struct addr any4;

	addr_set_v4(&any4, 0);
	return addr_equal(address, &any4) ||
	       !memcmp(address->w, any, sizeof(any));
}

/* Does a line of /proc/net/tcp, or of udp, say that it takes new flows? */
static bool line_takes(const char *line, const struct config_service *service)
{
	unsigned int port, state;
	struct addr local;
	char text[4 * HEX + 1];

	if (sscanf(line, "%*d: %32[0-9A-F]:%x %*[0-9A-F]:%*x %x", text, &port,
		   &state) != 3 ||
	    port != bpf_ntohs(service->port) ||
	    state != (service->protocol == IPPROTO_TCP ? LISTENS
						       : NOT_CONNECTED))
		return false;
	address_read(text, &local);
	return addr_equal(&local, &service->vip) || is_any(&local);
}

static bool has_listener(const char *process, const char *table,
			 const struct config_service *service)
{
	FILE *file = proc_open(process, table);
	bool found = false;
	char line[256];

	while (file && !found && fgets(line, sizeof(line), file))
		found = line_takes(line, service);
	if (file)
		fclose(file);
	return found;
}

static bool serves(const char *process, const struct config_service *service)
{
	bool udp = service->protocol == IPPROTO_UDP;

	return has_address(process, &service->vip) &&
	       (has_listener(process, udp ? "udp6" : "tcp6", service) ||
		(addr_is_v4(&service->vip) &&
		 has_listener(process, udp ? "udp" : "tcp", service)));
}

int listens_elsewhere(const struct config_service *service)
{
	const struct namespaces *known = namespaces();
	int i;

	for (i = 1; i < known->count; i++) {
		if (serves(known->processes[i], service))
			return atoi(known->processes[i]);
	}
	return 0;
}

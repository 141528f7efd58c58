// SPDX-License-Identifier: GPL-2.0-only
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/address.h"
#include "common/config/endpoint.h"
#include "common/config/method_names.h"
#include "common/core/abi_services.h"
#include "common/core/address.h"
#include "common/core/inline.h"

const char *scheduler_name(__u8 scheduler)
{
	static const char *const names[] = {
#define SCHEDULER_TEXT(NAME, name, word, kind, order) word,
		SCHEDULERS(SCHEDULER_TEXT)
#undef SCHEDULER_TEXT
	};

	return scheduler < SCHEDULER_COUNT ? names[scheduler] : "unknown";
}

const char *checksum_name(__u8 checksum)
{
	return checksum == CHECKSUM_UPDATE ? "update" : "keep";
}

const char *method_text(const struct method *method, char *text)
{
	char mark[16] = "";

	if (method->dscp)
		snprintf(mark, sizeof(mark), " %u", method->dscp);
	snprintf(text, 32, "%s%s%s", method_name(method), mark,
		 method->checksum == CHECKSUM_UPDATE ? ", update" : "");
	return text;
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
	snprintf(text, 64, addr_is_v4(address) ? "%s:%s" : "[%s]:%s",
		 addr_text(address, name), number);
	return text;
}

int protocol_cut(char *text)
{
	char *slash = strrchr(text, '/');

	if (!slash)
		return 0;
	*slash++ = '\0';
	if (!strcmp(slash, "tcp"))
		return IPPROTO_TCP;
	return strcmp(slash, "udp") ? -1 : IPPROTO_UDP;
}

int endpoint_parse(const char *text, struct addr *address, __be16 *port)
{
	const char *colon = strrchr(text, ':');
	char name[INET6_ADDRSTRLEN], *end;
	size_t length = colon ? (size_t)(colon - text) : 0;
	bool bracketed = length > 1 && text[0] == '[' && colon[-1] == ']';
	unsigned long number;

	if (!length || length >= sizeof(name))
		return -1;
	snprintf(name, sizeof(name), "%.*s", (int)length - (bracketed ? 2 : 0),
		 text + bracketed);
	number = strtoul(colon + 1, &end, 10);
	if (*end || end == colon + 1 || !number || number > 65535 ||
	    addr_parse(name, address) || addr_is_v4(address) == bracketed)
		return -1;
	*port = bpf_htons((__u16)number);
	return 0;
}

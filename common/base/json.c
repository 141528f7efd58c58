// SPDX-License-Identifier: GPL-2.0-only
#include "common/base/json.h"

#include <arpa/inet.h>
#include <string.h>

#include "common/base/address.h"
#include "common/core/inline.h"

json_t *json_with_schema(json_t *root)
{
	json_t *whole = json_pack("{s:i}", "schema", JSON_SCHEMA);

	if (json_object_update(whole, root)) {
		json_decref(whole);
		whole = NULL;
	}
	json_decref(root);
	return whole;
}

json_t *json_addr(const struct addr *addr)
{
	char text[INET6_ADDRSTRLEN];

	return json_string(addr_text(addr, text));
}

json_t *json_mac(const __u8 *mac)
{
	static const __u8 none[6];
	char text[18];

	return memcmp(mac, none, sizeof(none))
		       ? json_string(mac_text(mac, text))
		       : json_null();
}

json_t *json_text(const char *text)
{
	return *text ? json_string(text) : json_null();
}

json_t *json_port(__be16 port)
{
	return port ? json_integer(bpf_ntohs(port)) : json_null();
}

json_t *json_nonzero(__u64 number)
{
	return number ? json_integer((json_int_t)number) : json_null();
}

json_t *json_time(time_t at)
{
	return at ? json_integer((json_int_t)at) : json_null();
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * fuzz_config.c - any bytes at all as a configuration file
 *
 * Laws: config_parse() ends, touches nothing that is not its own and frees
 * what it took (the sanitizers see to that); a refusal is one line of
 * printable text that begins with the file's name; what is accepted keeps the
 * limits that the rest of the code relies on.
 */
#include <netinet/in.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/config/config.h"
#include "common/core/address.h"

#define REQUIRE(condition)                                                     \
	do {                                                                   \
		if (!(condition))                                              \
			abort();                                               \
	} while (0)

static void require_refusal(const char *why, const struct config *config)
{
	REQUIRE(!strncmp(why, "f.yaml:", 7));
	for (; *why; why++)
		REQUIRE((unsigned char)*why >= ' ' && *why != 0x7f);
	REQUIRE(!config->services && !config->path);
}

static void require_service(const struct config_service *service)
{
	REQUIRE(service->line);
	REQUIRE(service->protocol == IPPROTO_TCP ||
		service->protocol == IPPROTO_UDP);
	REQUIRE(service->scheduler < SCHEDULER_COUNT);
	REQUIRE(service->method.forward < FORWARDS);
	REQUIRE(service->table_size >= 251 && service->table_size <= 131071);
	REQUIRE(service->backend_count >= 1);
	for (size_t i = 0; i < service->backend_count; i++) {
		const struct config_backend *backend = &service->backends[i];

		REQUIRE(backend->line);
		REQUIRE(backend->weight >= 1 && backend->weight <= 1000);
		REQUIRE(addr_is_v4(&backend->address) ==
			addr_is_v4(&service->vip));
	}
}

static void require_config(const struct config *config)
{
	size_t backends = 0;

	REQUIRE(config->service_count >= 1);
	REQUIRE(config->service_count <= MAX_SERVICES);
	for (size_t i = 0; i < config->service_count; i++) {
		require_service(&config->services[i]);
		backends += config->services[i].backend_count;
	}
	REQUIRE(backends <= MAX_BACKENDS);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static FILE *warnings;
	struct config config;
	char why[1024];

	if (!warnings)
		warnings = fopen("/dev/null", "w");
	if (config_parse("f.yaml", (const char *)data, size, &config, why,
			 sizeof(why), warnings)) {
		require_refusal(why, &config);
		return 0;
	}
	require_config(&config);
	config_free(&config);
	return 0;
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * config.c - read a file into a struct config, or say why not
 *
 * The file is read as a whole, document.c makes one plain YAML document of it,
 * walk.c follows the table of keys.c through it, and conflicts.c
 * compares the records with each other.
 *
 * Law: a file is accepted or refused as a whole, and a refusal names the first
 * fault only. Nothing here prints, except warnings if they are asked for.
 */
#include "common/config/config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/config/conflicts.h"
#include "common/config/document.h"
#include "common/config/refusal.h"
#include "common/config/transition.h"
#include "common/config/walk.h"
#include "common/config/write.h"
#include "common/core/address.h"

/*
 * Three times what the largest number of services and backends needs, one key a
 * line.
 */
#define MAX_FILE (4u << 20)

static int parse(const char *text, size_t length, struct config *config,
		 const struct refusal *refusal)
{
	struct walk walk = {.refusal = refusal};
	int result;

	if (length > MAX_FILE)
		return refuse(refusal, 0, "larger than %u MiB", MAX_FILE >> 20);
	config->path = strdup(refusal->name);
	if (!config->path)
		return refuse_memory(refusal);
	if (document_load(text, length, &walk.document, refusal))
		return -1;
	result = walk_mapping(&walk, LEVEL_FILE,
			      yaml_document_get_root_node(&walk.document),
			      config);
	yaml_document_delete(&walk.document);
	if (!result)
		result = transitions_settle(config, refusal);
	if (result || conflicts_check(config, refusal))
		return -1;
	return config_digest(config, config->digest) ? refuse_memory(refusal)
						     : 0;
}

int config_parse(const char *name, const char *text, size_t length,
		 struct config *config, char *why, size_t why_size,
		 FILE *warnings)
{
	const struct refusal refusal = {name, why, why_size};

	memset(config, 0, sizeof(*config));
	if (parse(text, length, config, &refusal)) {
		config_free(config);
		return -1;
	}
	if (warnings)
		conflicts_warn(config, warnings);
	return 0;
}

/*
 * Reads all of a file that may be a pipe. Its size cannot be asked for, so one
 * byte more than allowed is read. -1 with errno.
 */
static ssize_t slurp(int fd, char *text, size_t size)
{
	size_t used = 0;

	while (used < size) {
		ssize_t got = read(fd, text + used, size - used);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -1;
		if (!got)
			break;
		used += got;
	}
	return (ssize_t)used;
}

int config_read(const char *path, struct config *config, char *why,
		size_t why_size, FILE *warnings)
{
	const struct refusal refusal = {path, why, why_size};
	ssize_t length = -1;
	char *text = NULL;
	int fd, cause, result;

	memset(config, 0, sizeof(*config));
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0)
		text = malloc(MAX_FILE + 1);
	if (text)
		length = slurp(fd, text, MAX_FILE + 1);
	cause = errno;
	if (fd >= 0)
		close(fd);
	if (length < 0)
		result = refuse(&refusal, 0, "%s", strerror(cause));
	else
		result = config_parse(path, text, length, config, why, why_size,
				      warnings);
	free(text);
	return result;
}

void config_free(struct config *config)
{
	for (size_t i = 0; i < config->service_count; i++)
		free(config->services[i].backends);
	free(config->services);
	free(config->outer_sources);
	free(config->nat_sources);
	free(config->lb_sources);
	free(config->release_to);
	free(config->heartbeat_to);
	free(config->heartbeat_networks);
	free(config->path);
	memset(config, 0, sizeof(*config));
}

const struct config_service *
config_service_like(const struct config *config,
		    const struct config_service *like)
{
	const struct config_service *service = config->services;
	size_t i;

	for (i = 0; i < config->service_count; i++, service++) {
		if (service->port == like->port &&
		    service->protocol == like->protocol &&
		    addr_equal(&service->vip, &like->vip))
			return service;
	}
	return NULL;
}

const struct config_backend *
config_backend_of(const struct config_service *service,
		  const struct addr *address)
{
	size_t i;

	for (i = 0; i < service->backend_count; i++) {
		if (addr_equal(&service->backends[i].address, address))
			return &service->backends[i];
	}
	return NULL;
}

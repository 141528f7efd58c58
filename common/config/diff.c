// SPDX-License-Identifier: GPL-2.0-only
/*
 * diff.c - how two files differ, key by key
 */
#include <stdlib.h>
#include <string.h>

#include "common/config/config.h"
#include "common/config/endpoint.h"
#include "common/config/keys.h"
#include "common/config/write.h"

struct pair {
	enum level level;
	const void *old, *new; /* records of it */
	const char *of;	       /* " of SERVICE", or nothing */
	const char *const *told;
	FILE *out;
};

static bool is_told(const struct pair *pair, const char *name)
{
	const char *const *told;

	for (told = pair->told; *told; told++) {
		if (!strcmp(*told, name))
			return true;
	}
	return false;
}

/* Prints one line if they differ. Returns 1 then, else 0; -1 without memory. */
static int key_diff(const struct pair *pair, const struct key *key)
{
	char *old = key_text(key, pair->old), *new = key_text(key, pair->new);
	int rc = !old || !new ? -1 : strcmp(old, new) != 0;

	if (rc > 0)
		fprintf(pair->out, "~ %s%s %s -> %s\n", key->name, pair->of,
			old, new);
	free(old);
	free(new);
	return rc;
}

static int record_diff(const struct pair *pair)
{
	const struct key *key;
	int lines = 0, rc;

	for (key = keys; key < keys + key_count; key++) {
		if (key->level != pair->level || key->kind == KIND_LIST ||
		    is_told(pair, key->name))
			continue;
		rc = key_diff(pair, key);
		if (rc < 0)
			return -1;
		lines += rc;
	}
	return lines;
}

static int by_key(const void *a, const void *b)
{
	const struct config_service *x = *(struct config_service *const *)a;
	const struct config_service *y = *(struct config_service *const *)b;
	int order = memcmp(&x->vip, &y->vip, sizeof(x->vip));

	order = order ?: memcmp(&x->port, &y->port, sizeof(x->port));
	return order ?: x->protocol - y->protocol;
}

/* Sorted; to be freed. NULL: no memory. */
static const struct config_service **sorted(const struct config *config)
{
	const struct config_service **rows =
		calloc(config->service_count + 1, sizeof(*rows));
	size_t i;

	for (i = 0; rows && i < config->service_count; i++)
		rows[i] = &config->services[i];
	if (rows)
		qsort(rows, config->service_count, sizeof(*rows), by_key);
	return rows;
}

static int services_diff(struct pair *pair, const struct config *old,
			 const struct config *new)
{
	const struct config_service **old_rows = sorted(old);
	const struct config_service **new_rows = sorted(new);
	int lines = old_rows && new_rows ? 0 : -1, rc = 0, order;
	char text[64], of[96];
	size_t i = 0, j = 0;

	pair->level = LEVEL_SERVICE;
	pair->of = of;
	while (lines >= 0 && i < old->service_count && j < new->service_count) {
		order = by_key(&old_rows[i], &new_rows[j]);
		if (order) {
			*(order < 0 ? &i : &j) += 1;
			continue;
		}
		pair->old = old_rows[i++];
		pair->new = new_rows[j++];
		snprintf(of, sizeof(of), " of %s/%s",
			 endpoint_text(&new_rows[j - 1]->vip,
				       new_rows[j - 1]->port, text),
			 protocol_name(new_rows[j - 1]->protocol));
		rc = record_diff(pair);
		lines = rc < 0 ? -1 : lines + rc;
	}
	free(old_rows);
	free(new_rows);
	return lines;
}

int config_diff(const struct config *old, const struct config *new,
		const char *const *told, FILE *out)
{
	struct pair pair = {LEVEL_FILE, old, new, "", told, out};
	int lines = record_diff(&pair), rc;

	if (lines < 0)
		return -1;
	rc = services_diff(&pair, old, new);
	return rc < 0 ? -1 : lines + rc;
}

// SPDX-License-Identifier: GPL-2.0-only
#include "common/config/write.h"

#include <arpa/inet.h>
#include <sha256.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/address.h"
#include "common/config/keys.h"
#include "common/config/values.h"
#include "common/core/address.h"
#include "common/core/inline.h"

#define VALUE 64 /* the longest is an address */

static __u32 scalar(const struct key *key, const void *field)
{
	__u32 wide = 0;
	__u16 narrow;

	if (key->size == sizeof(wide)) {
		memcpy(&wide, field, sizeof(wide));
		return wide;
	}
	if (key->size != sizeof(narrow))
		return *(const __u8 *)field;
	memcpy(&narrow, field, sizeof(narrow));
	return key->kind == KIND_PORT ? bpf_ntohs((FORCE __be16)narrow)
				      : narrow;
}

static void write_value(const struct key *key, const void *field, FILE *out)
{
	const struct keyword *keyword;
	const char *letter = field;
	struct addr address;
	char text[VALUE];
	__u32 value;

	if (key->kind == KIND_TEXT) {
		fputc('\'', out);
		for (; *letter; letter++)
			fputs(*letter == '\'' ? "''" : (char[2]){*letter}, out);
		fputc('\'', out);
		return;
	}
	if (key->kind == KIND_ADDRESS) {
		memcpy(&address, field, sizeof(address));
		/* A colon means something to YAML, in some places. */
		fprintf(out, addr_is_v4(&address) ? "%s" : "'%s'",
			addr_text(&address, text));
		return;
	}
	value = scalar(key, field);
	for (keyword = key->keywords; keyword && keyword->name; keyword++) {
		if (keyword->value == value) {
			fputs(keyword->name, out);
			return;
		}
	}
	if (key->kind == KIND_DURATION)
		fputs(duration_text(value, text), out);
	else if (key->kind == KIND_SHARE && value & SHARE_PERCENT)
		fprintf(out, "%u%%", value & ~SHARE_PERCENT);
	else
		fprintf(out, "%u", value);
}

/* `lb-sources: [192.0.2.0/24, '2001:db8::/32']`, or nothing. */
static void write_prefixes(const struct key *key, const char *record,
			   const char *before, FILE *out)
{
	const struct prefix *each;
	char text[VALUE];
	size_t count, i;
	bool ipv4;

	memcpy(&each, record + key->offset, sizeof(each));
	memcpy(&count, record + key->count_offset, sizeof(count));
	for (i = 0; i < count; i++, each++) {
		ipv4 = addr_is_v4(&each->address);
		if (i)
			fputs(", ", out);
		else
			fprintf(out, "%s%s: [", before, key->name);
		fprintf(out, ipv4 ? "%s" : "'%s",
			addr_text(&each->address, text));
		if (!key->groups)
			fprintf(out, "/%u",
				ipv4 ? each->bits - 96 : each->bits);
		fputs(ipv4 ? "" : "'", out);
	}
	if (count)
		fputs("]\n", out);
}

/* Is the value the key's default? */
static bool is_standard(const struct key *key, const void *record)
{
	union {
		struct config file;
		struct config_service service;
		struct config_backend backend;
		struct config_check check;
		struct config_was was;
		struct config_announce announce;
	} standard;
	char problem[PROBLEM_SIZE];

	if (key->kind == KIND_TEXT)
		return !strcmp(key->standard,
			       (const char *)record + key->offset);
	return key->standard &&
	       !value_store(key, key->standard, strlen(key->standard),
			    &standard, problem) &&
	       !memcmp((const char *)record + key->offset,
		       (const char *)&standard + key->offset, key->size);
}

/* What begins a line, or separates keys. */
struct style {
	const char *first, *next, *last;
};
static const struct style styles[LEVELS] = {
	[LEVEL_FILE] = {"", "", "\n"},
	[LEVEL_SERVICE] = {"  - ", "    ", "\n"},
	[LEVEL_BACKEND] = {"      - {", ", ", ""},
	[LEVEL_CHECK] = {"", ", ", ""},
	[LEVEL_WAS] = {"", ", ", ""},
	[LEVEL_ANNOUNCE] = {"", ", ", ""},
};

/* A record that is zero, except for its line, was left out. */
static bool is_left_out(const struct key *key, const char *record)
{
	const struct level_info *info = &levels[key->entry];
	const char *field = record + key->offset;
	size_t i;

	for (i = 0; i < info->record_size; i++) {
		if (field[i] && (i < info->line_offset ||
				 i >= info->line_offset + sizeof(int)))
			return false;
	}
	return true;
}

static void write_record(enum level level, const char *record, FILE *out);

/* For what is no list. False: it can be left out. */
static bool write_key(const struct key *key, const char *record,
		      const char *before, FILE *out)
{
	if (key->kind == KIND_PREFIXES) {
		write_prefixes(key, record, before, out);
		return false; /* it ends its own line */
	}
	if (key->kind == KIND_RECORD) {
		if (is_left_out(key, record))
			return false;
		fprintf(out, "%s%s: {", before, key->name);
		write_record(key->entry, record + key->offset, out);
		return true;
	}
	if (is_standard(key, record))
		return false;
	fprintf(out, "%s%s: ", before, key->name);
	write_value(key, record + key->offset, out);
	fputs(styles[key->level].last, out);
	return true;
}

static void write_record(enum level level, const char *record, FILE *out)
{
	const struct style *style = &styles[level];
	const struct key *key, *list = NULL;
	const char *before = style->first, *entry;
	size_t count;

	for (key = keys; key < keys + key_count; key++) {
		if (key->level != level)
			continue;
		if (key->kind == KIND_LIST)
			list = key;
		else if (write_key(key, record, before, out))
			before = style->next;
	}
	if (!list) {
		fputs("}\n", out);
		return;
	}
	fprintf(out, "%s%s:\n", before, list->name);
	memcpy(&entry, record + list->offset, sizeof(entry));
	memcpy(&count, record + list->count_offset, sizeof(count));
	for (; count; count--, entry += levels[list->entry].record_size)
		write_record(list->entry, entry, out);
}

char *key_text(const struct key *key, const void *record)
{
	char *text = NULL, *value;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return NULL;
	write_key(key, record, "", out);
	if (fclose(out)) {
		free(text);
		return NULL;
	}
	/* "NAME: VALUE" and the end of the line; or nothing. */
	value = *text ? text + strlen(key->name) + 2
		      : (char *)(key->standard ?: "none");
	value = strndup(value, strcspn(value, "\n"));
	free(text);
	return value;
}

void config_write(const struct config *config, FILE *out)
{
	write_record(LEVEL_FILE, (const char *)config, out);
}

static int by_address(const void *a, const void *b)
{
	const struct config_backend *x = a, *y = b;

	return memcmp(&x->address, &y->address, sizeof(x->address));
}

static int by_key(const void *a, const void *b)
{
	const struct config_service *x = a, *y = b;
	int order = memcmp(&x->vip, &y->vip, sizeof(x->vip));

	if (!order)
		order = x->protocol - y->protocol;
	return order ?: bpf_ntohs(x->port) - bpf_ntohs(y->port);
}

static int by_prefix(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct prefix));
}

/*
 * Replaces each list of prefixes by a sorted copy. prefixes_free() is due.
 * Returns 0, or -1 without memory; the lists behind are then empty.
 */
static int prefixes_sort(struct config *config)
{
	const struct key *key;
	struct prefix **list, *copy;
	size_t *count;
	int rc = 0;

	for (key = keys; key < keys + key_count; key++) {
		if (key->kind != KIND_PREFIXES)
			continue;
		list = (void *)((char *)config + key->offset);
		count = (void *)((char *)config + key->count_offset);
		copy = *count && !rc ? calloc(*count, sizeof(*copy)) : NULL;
		if (*count && !copy)
			rc = -1;
		if (copy) {
			memcpy(copy, *list, *count * sizeof(*copy));
			qsort(copy, *count, sizeof(*copy), by_prefix);
		}
		*list = copy;
	}
	return rc;
}

static void prefixes_free(struct config *config)
{
	const struct key *key;
	struct prefix **list;

	for (key = keys; key < keys + key_count; key++) {
		if (key->kind != KIND_PREFIXES)
			continue;
		list = (void *)((char *)config + key->offset);
		free(*list);
	}
}

static int digest_sorted(struct config *config, __u8 digest[32])
{
	SHA256_CTX context;
	char *text = NULL;
	size_t size, i;
	FILE *out;
	int rc;

	for (i = 0; i < config->service_count; i++)
		qsort(config->services[i].backends,
		      config->services[i].backend_count,
		      sizeof(struct config_backend), by_address);
	qsort(config->services, config->service_count,
	      sizeof(struct config_service), by_key);
	out = open_memstream(&text, &size);
	if (!out)
		return -1;
	config_write(config, out);
	rc = fclose(out) ? -1 : 0;
	SHA256Init(&context);
	SHA256Update(&context, (const uint8_t *)text, rc ? 0 : size);
	SHA256Final(digest, &context);
	free(text);
	return rc;
}

int config_digest(const struct config *config, __u8 digest[32])
{
	struct config copy = *config;
	struct config_backend *backends;
	size_t i, all = 0, size;
	int rc = -1;

	for (i = 0; i < config->service_count; i++)
		all += config->services[i].backend_count;
	copy.services = calloc(config->service_count, sizeof(*copy.services));
	backends = calloc(all, sizeof(*backends));
	if (!prefixes_sort(&copy) && copy.services && backends) {
		for (i = 0, all = 0; i < config->service_count; i++) {
			copy.services[i] = config->services[i];
			size = copy.services[i].backend_count;
			copy.services[i].backends = memcpy(
				&backends[all], config->services[i].backends,
				size * sizeof(*backends));
			all += size;
		}
		rc = digest_sorted(&copy, digest);
	}
	prefixes_free(&copy);
	free(copy.services);
	free(backends);
	return rc;
}

const char *digest_text(const __u8 digest[32], char text[DIGEST_TEXT])
{
	int i;

	for (i = 0; i < 8; i++)
		snprintf(text + 2 * i, 3, "%02x", digest[i]);
	return text;
}

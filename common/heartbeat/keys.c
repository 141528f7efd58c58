// SPDX-License-Identifier: GPL-2.0-only
#include "common/heartbeat/keys.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/address.h"

#define MOST (1u << 20) /* bytes of the file */

const char *heartbeat_keys_path(const char *config, char path[HEARTBEAT_PATH])
{
	const char *slash = strrchr(config, '/');
	int folder = slash ? (int)(slash + 1 - config) : 0;

	snprintf(path, HEARTBEAT_PATH, "%.*s%s", folder, config,
		 HEARTBEAT_KEYS_FILE);
	return path;
}

void heartbeat_keys_free(struct heartbeat_keys *keys)
{
	if (keys->rows)
		explicit_bzero(keys->rows, keys->count * sizeof(*keys->rows));
	free(keys->rows);
	*keys = (struct heartbeat_keys){0};
}

static int by_address(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct addr));
}

const struct heartbeat_key *
heartbeat_keys_find(const struct heartbeat_keys *keys,
		    const struct addr *address)
{
	return keys->count ? bsearch(address, keys->rows, keys->count,
				     sizeof(*keys->rows), by_address)
			   : NULL;
}

/* What is read, and where. */
struct reading {
	const char *path;
	unsigned int line;
	struct heartbeat_keys keys;
	struct fault *fault;
};

static int refuse_line(const struct reading *reading, const char *why)
{
	return fault(reading->fault, "%s:%u: %s", reading->path, reading->line,
		     why);
}

/* The value of a hexadecimal digit, or -1. */
static int digit(char letter)
{
	const char *digits = "0123456789abcdef", *at;

	at = letter ? strchr(digits, tolower((unsigned char)letter)) : NULL;
	return at ? (int)(at - digits) : -1;
}

/* 0, or -1: these are not 64 digits. */
static int key_read(const char *text, __u8 key[HEARTBEAT_KEY])
{
	int i, high, low;

	for (i = 0; i < HEARTBEAT_KEY; i++) {
		high = digit(text[2 * i]);
		low = high < 0 ? -1 : digit(text[2 * i + 1]);
		if (low < 0)
			return -1;
		key[i] = (__u8)(high << 4 | low);
	}
	return text[2 * i] ? -1 : 0;
}

static int row_add(struct reading *reading, const struct heartbeat_key *row)
{
	struct heartbeat_keys *keys = &reading->keys;
	struct heartbeat_key *rows;

	/* Not realloc(), which would leave keys behind. */
	if (!(keys->count & (keys->count - 1))) {
		rows = calloc(keys->count ? keys->count * 2 : 1, sizeof(*rows));
		if (!rows)
			return refuse_line(reading, "no memory");
		if (keys->count)
			memcpy(rows, keys->rows, keys->count * sizeof(*rows));
		if (keys->count)
			explicit_bzero(keys->rows, keys->count * sizeof(*rows));
		free(keys->rows);
		keys->rows = rows;
	}
	keys->rows[keys->count++] = *row;
	return 0;
}

static int addresses_add(struct reading *reading, char *text,
			 struct heartbeat_key *row)
{
	char *each, *rest = text;

	while ((each = strsep(&rest, ","))) {
		if (addr_parse(each, &row->address))
			return refuse_line(reading, "a line begins with an "
						    "address, or several "
						    "separated by commas");
		if (row_add(reading, row))
			return -1;
	}
	return 0;
}

static int line_read(struct reading *reading, char *line)
{
	struct heartbeat_key row = {.line = reading->line};
	char *words[4] = {0}, *rest = line;
	int count = 0, rc = 0;

	line[strcspn(line, "#")] = '\0';
	while (count < 4 && (words[count] = strsep(&rest, " \t\r")))
		count += *words[count] != '\0';
	if (!count)
		return 0;
	if (count < 2 || count > 3)
		return refuse_line(reading, "a line is: ADDRESS[,ADDRESS]... "
					    "KEY [KEY]");
	for (row.count = 0; row.count < count - 1 && !rc; row.count++) {
		rc = key_read(words[1 + row.count], row.keys[row.count]);
		if (rc)
			refuse_line(reading, "a key has 64 hexadecimal digits");
	}
	rc = rc ?: addresses_add(reading, words[0], &row);
	explicit_bzero(&row, sizeof(row));
	return rc;
}

/* 0, or -1: an address has two lines. */
static int sort(struct reading *reading)
{
	struct heartbeat_keys *keys = &reading->keys;
	char address[INET6_ADDRSTRLEN], why[128];
	size_t i;

	if (keys->count)
		qsort(keys->rows, keys->count, sizeof(*keys->rows), by_address);
	for (i = 1; i < keys->count; i++) {
		const struct heartbeat_key *row = &keys->rows[i];

		if (by_address(&row[-1], row))
			continue;
		reading->line =
			row->line > row[-1].line ? row->line : row[-1].line;
		snprintf(why, sizeof(why), "%s has a key already, on line %u",
			 addr_text(&row->address, address),
			 row->line > row[-1].line ? row[-1].line : row->line);
		return refuse_line(reading, why);
	}
	return 0;
}

int heartbeat_keys_parse(const char *path, const char *text, size_t length,
			 struct heartbeat_keys *keys, struct fault *fault_out)
{
	struct reading reading = {.path = path, .fault = fault_out};
	char *copy = strndup(text, length), *line, *rest = copy;
	int rc = 0;

	if (!copy)
		return fault(fault_out, "cannot read %s: no memory", path);
	if (strlen(copy) != length)
		rc = fault(fault_out, "cannot read %s: not a text file", path);
	while (!rc && (line = strsep(&rest, "\n"))) {
		reading.line++;
		rc = line_read(&reading, line);
	}
	rc = rc ?: sort(&reading);
	explicit_bzero(copy, strlen(copy));
	free(copy);
	if (rc) {
		heartbeat_keys_free(&reading.keys);
		return -1;
	}
	memcpy(reading.keys.seen, keys->seen, sizeof(keys->seen));
	heartbeat_keys_free(keys);
	*keys = reading.keys;
	return 0;
}

/* 0, or -1 with a fault: it is not only its owner's. */
static int refuse_file(const char *path, const struct stat *file,
		       struct fault *fault_out)
{
	if (!S_ISREG(file->st_mode) || file->st_size > MOST)
		return fault(fault_out, "cannot read %s: not a file of keys",
			     path);
	if (!(file->st_mode & 077) &&
	    (file->st_uid == geteuid() || !file->st_uid))
		return 0;
	fault(fault_out,
	      "cannot use %s: others may read or write it (mode "
	      "%04o, owner %u)",
	      path, file->st_mode & 07777, (unsigned int)file->st_uid);
	return fault_hint(fault_out,
			  "chown root %s; chmod 600 %s; and draw "
			  "new keys if somebody has read them",
			  path, path);
}

int heartbeat_keys_read(const char *path, struct heartbeat_keys *keys,
			struct fault *fault_out)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK), rc = -1;
	struct stat file;
	ssize_t length;
	char *text;

	if (fd < 0 || fstat(fd, &file)) {
		fault(fault_out, "cannot read %s: %s", path, strerror(errno));
		if (fd >= 0)
			close(fd);
		return fault_hint(fault_out,
				  "(umask 77; echo ADDRESS $(openssl rand -hex "
				  "32) >>%s), on the backend and the same line "
				  "on each load balancer",
				  path);
	}
	text = refuse_file(path, &file, fault_out)
		       ? NULL
		       : malloc((size_t)file.st_size + 1);
	if (text) {
		length = read(fd, text, (size_t)file.st_size);
		rc = length < 0
			     ? fault(fault_out, "cannot read %s: %s", path,
				     strerror(errno))
			     : heartbeat_keys_parse(path, text, (size_t)length,
						    keys, fault_out);
		explicit_bzero(text, (size_t)file.st_size);
		free(text);
	}
	close(fd);
	return rc;
}

int heartbeat_keys_follow(const char *path, struct heartbeat_keys *keys,
			  struct fault *fault_out)
{
	__u64 seen[5] = {1};
	struct stat file;

	if (!stat(path, &file)) {
		seen[0] = 2 + (__u64)file.st_dev;
		seen[1] = file.st_ino;
		seen[2] = (__u64)file.st_ctim.tv_sec;
		seen[3] = (__u64)file.st_ctim.tv_nsec;
		seen[4] = (__u64)file.st_size;
	}
	if (!memcmp(seen, keys->seen, sizeof(seen)))
		return 0;
	memcpy(keys->seen, seen, sizeof(seen));
	return heartbeat_keys_read(path, keys, fault_out) ? -1 : 1;
}

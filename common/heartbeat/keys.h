/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * keys.h - the file of heartbeats' keys, beside the configuration
 *
 * A line for each host, `ADDRESS[,ADDRESS]... KEY [KEY]`: its addresses as the
 * configuration's backends have them, and 64 hexadecimal digits. A load
 * balancer has a line for each backend; a backend needs only its own. A host
 * sends with the first key of its line; a second one is taken, too, so that
 * keys can be changed one host after another. What follows a # is a comment.
 *
 * It is refused if anybody but its owner may read or write it.
 */
#pragma once

#include <stddef.h>

#include "common/base/fault.h"
#include "common/core/abi.h"
#include "common/heartbeat/wire.h"

#define HEARTBEAT_KEYS_FILE "heartbeat.keys"

struct heartbeat_key {
	struct addr address;
	unsigned int line; /* the same: the same host */
	__u8 keys[2][HEARTBEAT_KEY];
	int count; /* of these, 1 or 2 */
};

struct heartbeat_keys {
	struct heartbeat_key *rows; /* sorted by address */
	size_t count;
	__u64 seen[5]; /* which file was read: see heartbeat_keys_follow() */
};

/* "/etc/l3dsr/heartbeat.keys", for "/etc/l3dsr/services.yaml". */
#define HEARTBEAT_PATH 4096
const char *heartbeat_keys_path(const char *config, char path[HEARTBEAT_PATH]);
/*
 * Replaces *keys, which are empty or were read before; after a fault they are
 * as they were. 0, or -1 with a fault, whose hint mends it.
 */
int heartbeat_keys_read(const char *path, struct heartbeat_keys *keys,
			struct fault *fault);
/*
 * Reads it if it has changed since the last call: 1, or -1 with a fault; the
 * same fault is reported once. 0: it has not.
 */
int heartbeat_keys_follow(const char *path, struct heartbeat_keys *keys,
			  struct fault *fault);
/* The same from text. */
int heartbeat_keys_parse(const char *path, const char *text, size_t length,
			 struct heartbeat_keys *keys, struct fault *fault);
void heartbeat_keys_free(struct heartbeat_keys *keys);
/* NULL: the file has no line for this address. */
const struct heartbeat_key *
heartbeat_keys_find(const struct heartbeat_keys *keys,
		    const struct addr *address);

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * json.h - typed values of what the tools print as JSON
 *
 * Every value has one type in all rows: a number is a number, and where there
 * is no value it is null. Each returns a new reference, or NULL without memory.
 */
#pragma once

#include <jansson.h>
#include <time.h>

#include "common/core/abi.h"

/* Raised when a key goes, or its type or meaning changes. */
#define JSON_SCHEMA 1

/* Releases `root`; returns an object that begins with "schema". */
json_t *json_with_schema(json_t *root);

/* Strings. */
json_t *json_addr(const struct addr *addr);
/* Null: all zeros. */
json_t *json_mac(const __u8 *mac);
/* Null: "". */
json_t *json_text(const char *text);

/* A port of the network's byte order as a number. Null: any. */
json_t *json_port(__be16 port);
/* Null: 0. */
json_t *json_nonzero(__u64 number);
/* Unix time in seconds. Null: 0. */
json_t *json_time(time_t at);

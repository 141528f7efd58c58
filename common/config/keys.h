/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * keys.h - the table of all keys of the configuration file
 *
 * A row says a key's name, its level, its allowed values, its default, its
 * meaning, and the field of struct config that it fills. Reading, refusing,
 * help and manual use this table, so they cannot disagree; a new key is a new
 * row.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include <linux/types.h>

/* The kinds of mapping in a file; each fills a record of its own struct. */
enum level {
	LEVEL_FILE,	/* struct config */
	LEVEL_SERVICE,	/* struct config_service */
	LEVEL_BACKEND,	/* struct config_backend */
	LEVEL_CHECK,	/* struct config_check */
	LEVEL_WAS,	/* struct config_was */
	LEVEL_ANNOUNCE, /* struct config_announce */
	LEVELS,
};

struct level_info {
	const char *name;
	size_t record_size;
	size_t line_offset; /* of the field `line`; LEVEL_FILE has none */
	__u32 most;	    /* records in one file */
};
extern const struct level_info levels[LEVELS];

enum kind {
	KIND_LIST,     /* of records of another level */
	KIND_PREFIXES, /* an array of struct prefix */
	KIND_RECORD,   /* one of another level; zeroed if it is left out */
	KIND_ADDRESS,  /* struct addr */
	KIND_NUMBER,   /* or one of `keywords`, if there are any */
	KIND_PORT,     /* as KIND_NUMBER, stored in wire order */
	KIND_PRIME,    /* a number that must be prime */
	KIND_SHARE,    /* a number or a percentage, see SHARE_PERCENT */
	KIND_DURATION, /* stored in milliseconds */
	KIND_KEYWORD,  /* one of `keywords` */
	KIND_TEXT,     /* `size` bytes of it, and NUL; at least `min` */
};

/* A keyword; a name of NULL ends the list. */
struct keyword {
	const char *name;
	__u32 value;
};

/* Values of a check's `type`: enum check_type. */
extern const struct keyword check_keywords[];

/* As KIND_DURATION is kept: milliseconds. */
#define KEY_SECOND 1000u
#define KEY_HOUR   (3600 * KEY_SECOND)

struct key {
	enum level level;
	const char *name;
	enum kind kind;
	size_t offset; /* of the field in the level's record */
	size_t size;   /* of that field */
	__u32 min;
	__u32 max;
	const struct keyword *keywords;
	const char *renamed[2]; /* a keyword that was allowed once; what it is
				   called now */
	const char *was;	/* the key's former name, which is refused */
	const char *standard;	/* the default, as in a file; NULL: the key is
				   required */
	enum level entry;	/* of a list or record: its level */
	size_t count_offset;	/* of a list: the field that counts them */
	bool groups;		/* of prefixes: addresses, also multicast */
	__u32 types;	     /* LEVEL_CHECK: the types that have it; 0: all */
	const char *instead; /* another key of the level that says the same
				thing: a record may not have both */
	const char *help;    /* see methods_in_help() */
};

/* The default of `heartbeat-to`; the second has site scope. */
#define HEARTBEAT_GROUP_IPV4 "239.0.0.1"
#define HEARTBEAT_GROUP_IPV6 "ff15::4242"

/* In `types`, of an enum check_type. */
#define TYPE(type) (1u << (type))

#define MAX_KEYS 96
extern const struct key keys[];
extern const size_t key_count;

/* NULL if `level` has no such key. */
const struct key *key_find(enum level level, const char *name, size_t length);

/*
 * The key of `level` that was most likely meant, or NULL. Ignores case and the
 * difference of '-' and '_'.
 */
const struct key *key_nearest(enum level level, const char *name,
			      size_t length);

/* Room for any text of key_allowed() and key_names(). */
#define ALLOWED_SIZE 512

/* The allowed values: "a number from 1 to 1000". Returns `text`. */
const char *key_allowed(const struct key *key, char text[ALLOWED_SIZE]);

/* "90s", in the largest unit without a fraction. Returns `text`. */
#define DURATION_SIZE 16
const char *duration_text(__u32 milliseconds, char text[DURATION_SIZE]);

/* The names of a level's keys: "address, weight, drain". Returns `text`. */
const char *key_names(enum level level, char text[ALLOWED_SIZE]);

/* The types of health check in a mask: "http or https". Returns `text`. */
const char *key_types(__u32 types, char text[ALLOWED_SIZE]);

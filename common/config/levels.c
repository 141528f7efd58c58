// SPDX-License-Identifier: GPL-2.0-only
/*
 * levels.c - the kinds of mapping in a file, and their keys by name
 */
#include <string.h>

#include "common/config/config.h"
#include "common/config/keys.h"

const struct level_info levels[LEVELS] = {
	[LEVEL_FILE] = {"file", sizeof(struct config), 0, 1},
	[LEVEL_SERVICE] = {"service", sizeof(struct config_service),
			   offsetof(struct config_service, line), MAX_SERVICES},
	[LEVEL_BACKEND] = {"backend", sizeof(struct config_backend),
			   offsetof(struct config_backend, line), MAX_BACKENDS},
	[LEVEL_CHECK] = {"check", sizeof(struct config_check),
			 offsetof(struct config_check, line), MAX_SERVICES},
	[LEVEL_WAS] = {"former table", sizeof(struct config_was),
		       offsetof(struct config_was, line), MAX_SERVICES},
	[LEVEL_ANNOUNCE] = {"announcement", sizeof(struct config_announce),
			    offsetof(struct config_announce, line), 1},
};

const struct key *key_find(enum level level, const char *name, size_t length)
{
	for (size_t i = 0; i < key_count; i++)
		if (keys[i].level == level && strlen(keys[i].name) == length &&
		    !memcmp(keys[i].name, name, length))
			return &keys[i];
	return NULL;
}

/* As snprintf(), appended to `text`. */

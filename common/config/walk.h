/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * walk.h - a YAML document, followed by the table of keys
 */
#pragma once

#include <yaml.h>

#include "common/config/keys.h"
#include "common/config/refusal.h"

struct walk {
	yaml_document_t document;
	const struct refusal *refusal;
	size_t records[LEVELS]; /* so far, in the whole file */
};

/*
 * Fills in the record of a level from a mapping; it is zero before. Returns 0,
 * or -1 with the refusal of the first fault.
 */
int walk_mapping(struct walk *walk, enum level level, const yaml_node_t *node,
		 void *record);

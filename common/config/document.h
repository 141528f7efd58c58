/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * document.h - from bytes to one plain YAML document
 *
 * The file is data, not a program: no anchors and aliases (one line would
 * then speak of two places, and libyaml's document API resolves them without
 * a trace), no tags, no second document. What passes is small and shallow,
 * so that whatever walks it may do so plainly.
 */
#pragma once

#include <stddef.h>

#include <yaml.h>

#include "common/config/refusal.h"

/*
 * Fills *document, which has a root node; release it with
 * yaml_document_delete(). Else returns -1 with the refusal written.
 */
int document_load(const char *text, size_t length, yaml_document_t *document,
		  const struct refusal *refusal);

/* The line a node begins on, counted from 1 as editors do. */
static inline unsigned int document_line(const yaml_mark_t *mark)
{
	return (unsigned int)mark->line + 1;
}

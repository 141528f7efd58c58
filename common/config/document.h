/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * document.h - parse bytes into one plain YAML document
 *
 * The file is data, not a program: no anchors and aliases (one line would then
 * stand for two, and libyaml's document API resolves them without a trace), no
 * tags, no second document. What is accepted is small and shallow, so that it
 * can be walked recursively.
 */
#pragma once

#include <stddef.h>

#include <yaml.h>

#include "common/config/refusal.h"

/*
 * Fills in *document, which has a root node; release it with
 * yaml_document_delete(). Else returns -1 with the refusal written.
 */
int document_load(const char *text, size_t length, yaml_document_t *document,
		  const struct refusal *refusal);

/* The line on which a node begins, counted from 1. */
static inline unsigned int document_line(const yaml_mark_t *mark)
{
	return (unsigned int)mark->line + 1;
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * walk.c - see walk.h
 */
#include "common/config/walk.h"

#include <stdlib.h>
#include <string.h>

#include "common/config/config.h"
#include "common/config/document.h"
#include "common/config/keys.h"
#include "common/config/refusal.h"
#include "common/config/values.h"

static const char *scalar(const yaml_node_t *node)
{
	return (const char *)node->data.scalar.value;
}

/*
 * A value of the wrong shape. A scalar is quoted: it may be a typing error,
 * which the text helps to find.
 */
static int refuse_shape(struct walk *walk, const char *name,
			const yaml_node_t *node, unsigned int line,
			const char *allowed)
{
	char word[QUOTED_SIZE];

	if (node->type == YAML_SCALAR_NODE)
		return refuse(
			walk->refusal, line, "%s %s: must be %s", name,
			quoted(word, scalar(node), node->data.scalar.length),
			allowed);
	return refuse(walk->refusal, line, "%s: must be %s, not a %s", name,
		      allowed,
		      node->type == YAML_MAPPING_NODE ? "mapping" : "list");
}

static int walk_entry(struct walk *walk, enum level level,
		      const yaml_node_t *node, char *record)
{
	const struct level_info *info = &levels[level];
	unsigned int line = document_line(&node->start_mark);

	if (++walk->records[level] > info->most)
		return refuse(walk->refusal, line,
			      "one more %s than a file may have, which is %u",
			      info->name, info->most);
	memcpy(record + info->line_offset, &line, sizeof(line));
	return walk_mapping(walk, level, node, record);
}

static int walk_prefix(struct walk *walk, const struct key *key,
		       const yaml_node_t *node, void *prefix)
{
	unsigned int line = document_line(&node->start_mark);
	char problem[PROBLEM_SIZE];

	if (node->type != YAML_SCALAR_NODE)
		return refuse_shape(walk, key->name, node, line,
				    "an address or a prefix");
	if (value_prefix(key, scalar(node), node->data.scalar.length, prefix,
			 problem))
		return refuse(walk->refusal, line, "%s", problem);
	return 0;
}

static int walk_item(struct walk *walk, const struct key *key, int item,
		     char *record)
{
	const yaml_node_t *node = yaml_document_get_node(&walk->document, item);

	return key->kind == KIND_PREFIXES
		       ? walk_prefix(walk, key, node, record)
		       : walk_entry(walk, key->entry, node, record);
}

static int walk_list(struct walk *walk, const struct key *key,
		     const yaml_node_t *node, unsigned int line, char *record)
{
	size_t size = key->kind == KIND_PREFIXES
			      ? sizeof(struct prefix)
			      : levels[key->entry].record_size;
	char allowed[ALLOWED_SIZE];
	size_t count;
	char *entries;

	key_allowed(key, allowed);
	if (node->type != YAML_SEQUENCE_NODE)
		return refuse_shape(walk, key->name, node, line, allowed);
	count = node->data.sequence.items.top - node->data.sequence.items.start;
	if (count < key->min)
		return refuse(walk->refusal, line, "%s: must be %s, not empty",
			      key->name, allowed);

	if (count > key->max && key->kind == KIND_PREFIXES)
		return refuse(walk->refusal, line, "%s: must be %s, not %zu",
			      key->name, allowed, count);
	/* One more than the limit is refused by walk_entry(), with its line. */
	if (count > key->max + 1)
		count = key->max + 1;
	entries = calloc(count, size);
	if (!entries)
		return refuse_memory(walk->refusal);
	/* Owned by the record from now on: config_free() releases it. */
	memcpy(record + key->offset, &entries, sizeof(entries));
	memcpy(record + key->count_offset, &count, sizeof(count));

	for (size_t i = 0; i < count; i++) {
		int item = node->data.sequence.items.start[i];

		if (walk_item(walk, key, item, entries + i * size))
			return -1;
	}
	return 0;
}

static int walk_value(struct walk *walk, const struct key *key,
		      const yaml_node_t *node, unsigned int line, void *record)
{
	char problem[PROBLEM_SIZE];
	char allowed[ALLOWED_SIZE];

	/* libyaml may give an empty value the position of what follows. */
	if (node->type != YAML_SCALAR_NODE || node->data.scalar.length)
		line = document_line(&node->start_mark);
	if (key->kind == KIND_LIST || key->kind == KIND_PREFIXES)
		return walk_list(walk, key, node, line, record);
	if (key->kind == KIND_RECORD)
		return walk_entry(walk, key->entry, node,
				  (char *)record + key->offset);
	if (node->type != YAML_SCALAR_NODE)
		return refuse_shape(walk, key->name, node, line,
				    key_allowed(key, allowed));
	if (value_store(key, scalar(node), node->data.scalar.length, record,
			problem))
		return refuse(walk->refusal, line, "%s", problem);
	return 0;
}

/* The key of `level` that had this name once, or NULL. */
static const struct key *key_once(enum level level, const char *name,
				  size_t length)
{
	for (size_t i = 0; i < key_count; i++) {
		const char *was = keys[i].was;

		if (keys[i].level == level && was && strlen(was) == length &&
		    !memcmp(was, name, length))
			return &keys[i];
	}
	return NULL;
}

static int refuse_key(struct walk *walk, enum level level,
		      const yaml_node_t *node)
{
	unsigned int line = document_line(&node->start_mark);
	const char *name = scalar(node);
	size_t length = node->data.scalar.length;
	const struct key *meant = key_nearest(level, name, length);
	const struct key *renamed = key_once(level, name, length);
	char allowed[ALLOWED_SIZE];
	char word[QUOTED_SIZE];

	quoted(word, name, length);
	if (renamed)
		return refuse(walk->refusal, line,
			      "key %s is now \"%s\", which must be %s", word,
			      renamed->name, key_allowed(renamed, allowed));
	key_names(level, allowed);
	if (meant)
		return refuse(walk->refusal, line,
			      "unknown key %s; did you mean \"%s\"? A %s has "
			      "the keys %s",
			      word, meant->name, levels[level].name, allowed);
	for (int other = 0; other < LEVELS; other++)
		if (key_find(other, name, length))
			return refuse(walk->refusal, line,
				      "key %s belongs in a %s; a %s has the "
				      "keys %s",
				      word, levels[other].name,
				      levels[level].name, allowed);
	return refuse(walk->refusal, line,
		      "unknown key %s; a %s has the keys %s", word,
		      levels[level].name, allowed);
}

static int walk_pair(struct walk *walk, enum level level,
		     const yaml_node_pair_t *pair, unsigned int seen[MAX_KEYS],
		     void *record)
{
	const yaml_node_t *name =
		yaml_document_get_node(&walk->document, pair->key);
	unsigned int line = document_line(&name->start_mark);
	const struct key *key;

	if (name->type != YAML_SCALAR_NODE)
		return refuse_shape(walk, "key", name, line, "a word");
	key = key_find(level, scalar(name), name->data.scalar.length);
	if (!key)
		return refuse_key(walk, level, name);
	if (seen[key - keys])
		return refuse(walk->refusal, line,
			      "key \"%s\" is repeated; the first is on line %u",
			      key->name, seen[key - keys]);
	seen[key - keys] = line;
	return walk_value(walk, key,
			  yaml_document_get_node(&walk->document, pair->value),
			  line, record);
}

/* A key that the mapping does not have: its default, or a refusal. */
static int complete(struct walk *walk, enum level level, unsigned int line,
		    const unsigned int seen[MAX_KEYS], void *record)
{
	char problem[PROBLEM_SIZE];
	char allowed[ALLOWED_SIZE];

	for (size_t i = 0; i < key_count; i++) {
		const struct key *key = &keys[i];

		if (key->level != level || seen[i])
			continue;
		if (!key->standard)
			return refuse(walk->refusal, line,
				      "%s without the key \"%s\", which is "
				      "required: %s",
				      levels[level].name, key->name,
				      key_allowed(key, allowed));
		if (key->kind == KIND_PREFIXES || key->kind == KIND_RECORD)
			continue; /* none */
		if (value_store(key, key->standard, strlen(key->standard),
				record, problem))
			return refuse(walk->refusal, line, "default of %s",
				      problem);
	}
	return 0;
}

/*
 * The type of a check that names none: the first type that has all of its keys,
 * in the order of enum check_type.
 */
static __u8 type_of_keys(const unsigned int seen[MAX_KEYS])
{
	__u32 types = ~TYPE(CHECK_NONE);
	__u8 type;

	for (size_t i = 0; i < key_count; i++) {
		if (keys[i].level == LEVEL_CHECK && seen[i] && keys[i].types)
			types &= keys[i].types;
	}
	for (type = CHECK_TCP; type <= CHECK_UDP; type++) {
		if (types & TYPE(type))
			return type;
	}
	return CHECK_TCP;
}

/*
 * A check may only have keys of its type: otherwise a user would think that
 * they are used. (A check that is turned off, `none`, may have any.)
 */
static int check_keys(struct walk *walk, const unsigned int seen[MAX_KEYS],
		      struct config_check *check)
{
	char types[ALLOWED_SIZE], own[ALLOWED_SIZE];
	const struct key *key;

	if (!seen[key_find(LEVEL_CHECK, "type", 4) - keys])
		check->type = type_of_keys(seen);
	for (size_t i = 0; i < key_count; i++) {
		key = &keys[i];
		if (key->level != LEVEL_CHECK || !seen[i] || !key->types ||
		    check->type == CHECK_NONE || key->types & TYPE(check->type))
			continue;
		return refuse(walk->refusal, seen[i],
			      "check: %s is for %s, and the type of this check "
			      "is %s",
			      key->name, key_types(key->types, types),
			      key_types(TYPE(check->type), own));
	}
	return 0;
}

/* Two keys for one thing could contradict each other. */
static int check_instead(struct walk *walk, enum level level,
			 const unsigned int seen[MAX_KEYS])
{
	const struct key *other;

	for (size_t i = 0; i < key_count; i++) {
		if (keys[i].level != level || !seen[i] || !keys[i].instead)
			continue;
		other = key_find(level, keys[i].instead,
				 strlen(keys[i].instead));
		if (seen[other - keys])
			return refuse(walk->refusal, seen[i],
				      "%s: %s on line %u says the same thing; "
				      "leave one of them out",
				      keys[i].name, other->name,
				      seen[other - keys]);
	}
	return 0;
}

int walk_mapping(struct walk *walk, enum level level, const yaml_node_t *node,
		 void *record)
{
	unsigned int line = document_line(&node->start_mark);
	unsigned int seen[MAX_KEYS] = {};
	const yaml_node_pair_t *pair;

	if (node->type != YAML_MAPPING_NODE) {
		char names[ALLOWED_SIZE];
		char allowed[ALLOWED_SIZE + 32];

		snprintf(allowed, sizeof(allowed), "a mapping of the keys %s",
			 key_names(level, names));
		return refuse_shape(walk, levels[level].name, node, line,
				    allowed);
	}
	for (pair = node->data.mapping.pairs.start;
	     pair < node->data.mapping.pairs.top; pair++)
		if (walk_pair(walk, level, pair, seen, record))
			return -1;
	if (check_instead(walk, level, seen) ||
	    complete(walk, level, line, seen, record))
		return -1;
	return level == LEVEL_CHECK ? check_keys(walk, seen, record) : 0;
}

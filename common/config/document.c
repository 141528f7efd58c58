// SPDX-License-Identifier: GPL-2.0-only
/*
 * document.c - see document.h
 *
 * Two passes. The first looks at libyaml's tokens, where anchors, aliases and
 * tags are still visible with their lines, and limits depth and number before
 * anything is built, because libyaml's effort grows with depth times length.
 * The second lets libyaml compose the document.
 */
#include "common/config/document.h"

#include <stdbool.h>
#include <string.h>

/* A valid file has at most 5 levels and about 300,000 tokens. */
#define MAX_DEPTH  16
#define MAX_TOKENS (1 << 20)

static unsigned int line_at(const char *text, size_t offset)
{
	unsigned int line = 1;

	for (size_t i = 0; i < offset; i++)
		line += text[i] == '\n';
	return line;
}

/* libyaml's own description of what is wrong with the text. */
static int refuse_parser(const yaml_parser_t *parser, const char *text,
			 size_t length, const struct refusal *refusal)
{
	const char *problem = parser->problem ? parser->problem : "unreadable";

	switch (parser->error) {
	case YAML_NO_ERROR: /* yaml_parser_load() without memory */
	case YAML_MEMORY_ERROR:
		return refuse_memory(refusal);
	case YAML_READER_ERROR:
		/* The reader does not count lines yet, only bytes. */
		return refuse(refusal,
			      line_at(text, parser->problem_offset < length
						    ? parser->problem_offset
						    : length),
			      "not YAML in UTF-8: %s", problem);
	default:
		if (parser->context)
			return refuse(refusal,
				      document_line(&parser->problem_mark),
				      "not YAML: %s %s that began on line %u",
				      problem, parser->context,
				      document_line(&parser->context_mark));
		return refuse(refusal, document_line(&parser->problem_mark),
			      "not YAML: %s", problem);
	}
}

static int begin(yaml_parser_t *parser, const char *text, size_t length)
{
	if (!yaml_parser_initialize(parser))
		return -1;
	/* Without this libyaml also takes UTF-16, which is no text to us. */
	yaml_parser_set_encoding(parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(parser, (const unsigned char *)text,
				     length);
	return 0;
}

static int refuse_mark(const struct refusal *refusal, unsigned int line,
		       const char *what, const yaml_char_t *value)
{
	char word[QUOTED_SIZE];
	const char *text = (const char *)value;

	return refuse(refusal, line,
		      "%s %s: not allowed here; write the value itself", what,
		      quoted(word, text, strlen(text)));
}

static int check_token(const yaml_token_t *token, int *depth,
		       const struct refusal *refusal)
{
	unsigned int line = document_line(&token->start_mark);

	switch (token->type) {
	case YAML_ANCHOR_TOKEN:
		return refuse_mark(refusal, line, "anchor",
				   token->data.anchor.value);
	case YAML_ALIAS_TOKEN:
		return refuse_mark(refusal, line, "alias",
				   token->data.alias.value);
	case YAML_TAG_TOKEN:
		return refuse_mark(refusal, line, "tag",
				   token->data.tag.suffix);
	case YAML_BLOCK_SEQUENCE_START_TOKEN:
	case YAML_BLOCK_MAPPING_START_TOKEN:
	case YAML_FLOW_SEQUENCE_START_TOKEN:
	case YAML_FLOW_MAPPING_START_TOKEN:
		if (++*depth > MAX_DEPTH)
			return refuse(refusal, line,
				      "lists and mappings inside each other: "
				      "at most %d levels",
				      MAX_DEPTH);
		return 0;
	case YAML_BLOCK_END_TOKEN:
	case YAML_FLOW_SEQUENCE_END_TOKEN:
	case YAML_FLOW_MAPPING_END_TOKEN:
		--*depth;
		return 0;
	default:
		return 0;
	}
}

static int check_tokens(const char *text, size_t length,
			const struct refusal *refusal)
{
	yaml_parser_t parser;
	int depth = 0;
	int result = 0;
	bool more = true;

	if (begin(&parser, text, length))
		return refuse_memory(refusal);
	for (int count = 0; more && !result; count++) {
		yaml_token_t token;

		if (!yaml_parser_scan(&parser, &token)) {
			result = refuse_parser(&parser, text, length, refusal);
			break;
		}
		more = token.type != YAML_STREAM_END_TOKEN;
		result = check_token(&token, &depth, refusal);
		if (!result && count == MAX_TOKENS)
			result = refuse(refusal,
					document_line(&token.start_mark),
					"too much in one file: at most %d "
					"tokens",
					MAX_TOKENS);
		yaml_token_delete(&token);
	}
	yaml_parser_delete(&parser);
	return result;
}

/* Does anything but comments follow the first document? */
static int check_end(yaml_parser_t *parser, const char *text, size_t length,
		     const struct refusal *refusal)
{
	yaml_document_t second;
	int result = 0;

	if (!yaml_parser_load(parser, &second))
		return refuse_parser(parser, text, length, refusal);
	if (yaml_document_get_root_node(&second))
		result = refuse(refusal, document_line(&second.start_mark),
				"a second document begins here; a file holds "
				"one document");
	yaml_document_delete(&second);
	return result;
}

static int load(yaml_parser_t *parser, const char *text, size_t length,
		yaml_document_t *document, const struct refusal *refusal)
{
	int result;

	if (!yaml_parser_load(parser, document))
		return refuse_parser(parser, text, length, refusal);
	if (yaml_document_get_root_node(document))
		result = check_end(parser, text, length, refusal);
	else
		result = refuse(refusal, 1,
				"the file is empty; a list of services is "
				"required");
	if (result)
		yaml_document_delete(document);
	return result;
}

int document_load(const char *text, size_t length, yaml_document_t *document,
		  const struct refusal *refusal)
{
	yaml_parser_t parser;
	int result;

	/*
	 * Once the encoding is set, libyaml no longer skips the byte order
	 * mark.
	 */
	if (length >= 3 && !memcmp(text, "\xef\xbb\xbf", 3)) {
		text += 3;
		length -= 3;
	}
	if (check_tokens(text, length, refusal))
		return -1;
	if (begin(&parser, text, length))
		return refuse_memory(refusal);
	result = load(&parser, text, length, document, refusal);
	yaml_parser_delete(&parser);
	return result;
}

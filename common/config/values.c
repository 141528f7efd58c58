// SPDX-License-Identifier: GPL-2.0-only
/*
 * values.c - see values.h
 *
 * Strict on purpose. Numbers are decimal digits and nothing else: "010" is
 * eight to one YAML parser and ten to another, and "1_000" a number only to the
 * first. A duration needs a unit, because somebody means minutes by a bare "3".
 */
#include "common/config/values.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <string.h>

#include "common/base/address.h"
#include "common/config/config.h"
#include "common/config/health.h"
#include "common/config/refusal.h"
#include "common/core/address.h"
#include "common/core/inline.h"

/* What else is wrong with a value, beyond key_allowed(); may stay empty. */
#define NOTE_SIZE 96

/*
 * Decimal digits at the start of `text`; returns how many, 0 if there are none.
 */
static size_t read_digits(const char *text, size_t length, __u64 *number)
{
	size_t i;

	*number = 0;
	for (i = 0; i < length && isdigit((unsigned char)text[i]); i++) {
		if (i == 10 || (i == 1 && text[0] == '0'))
			return 0;
		*number = *number * 10 + (text[i] - '0');
	}
	return i;
}

static int read_number(const char *text, size_t length, __u64 *number)
{
	return length && read_digits(text, length, number) == length ? 0 : -1;
}

static int read_duration(const char *text, size_t length, __u64 *milliseconds)
{
	static const struct keyword units[] = {
		{"ms", 1}, {"s", 1000}, {"min", 60000}, {"h", 3600000}, {}};
	size_t digits = read_digits(text, length, milliseconds);

	if (!digits)
		return -1;
	for (const struct keyword *unit = units; unit->name; unit++) {
		if (strlen(unit->name) == length - digits &&
		    !memcmp(unit->name, text + digits, length - digits)) {
			*milliseconds *= unit->value;
			return 0;
		}
	}
	return -1;
}

/* "3", or "50%". */
static int read_share(const char *text, size_t length, __u64 *value)
{
	bool percent = length && text[length - 1] == '%';

	if (read_number(text, length - percent, value) ||
	    (percent && (!*value || *value > 100)))
		return -1;
	*value |= percent ? SHARE_PERCENT : 0;
	return 0;
}

static int read_keyword(const struct keyword *keywords, const char *text,
			size_t length, __u64 *value)
{
	for (const struct keyword *keyword = keywords; keyword && keyword->name;
	     keyword++) {
		if (strlen(keyword->name) == length &&
		    !memcmp(keyword->name, text, length)) {
			*value = keyword->value;
			return 0;
		}
	}
	return -1;
}

static bool is_prime(__u32 number)
{
	if (number < 2)
		return false;
	for (__u32 i = 2; (__u64)i * i <= number; i++)
		if (number % i == 0)
			return false;
	return true;
}

__u32 value_next_prime(__u32 number)
{
	while (!is_prime(number))
		number++;
	return number;
}

/*
 * Of two at the same distance, the larger. Both limits of the key are primes.
 */
static __u32 nearest_prime(const struct key *key, __u64 number)
{
	__u32 below, above;

	if (number <= key->min)
		return key->min;
	if (number >= key->max)
		return key->max;
	below = above = (__u32)number;
	while (!is_prime(below))
		below--;
	above = value_next_prime(above);
	return number - below < above - number ? below : above;
}

/* The name of a range that no service or backend can be in, or NULL. */
static const char *unusable(const struct addr *addr)
{
	bool ipv4 = addr_is_v4(addr);
	__u32 first = bpf_ntohl(ipv4 ? addr->w[3] : addr->w[0]);

	if (ipv4) {
		if (!first)
			return "the unspecified address";
		if (first >> 24 == 127)
			return "a loopback address";
		if (first >> 16 == (169 << 8 | 254))
			return "a link-local address";
		if (first >> 28 == 0xe)
			return "a multicast address";
		return first == 0xffffffff ? "the broadcast address" : NULL;
	}
	if (!first && !addr->w[1] && !addr->w[2] && bpf_ntohl(addr->w[3]) <= 1)
		return addr->w[3] ? "a loopback address"
				  : "the unspecified address";
	if (first >> 22 == 0xfe80 >> 6)
		return "a link-local address";
	return first >> 24 == 0xff ? "a multicast address" : NULL;
}

static int store_address(const char *text, size_t length, bool groups,
			 struct addr *addr, char note[NOTE_SIZE])
{
	char word[INET6_ADDRSTRLEN];
	const char *range;

	if (length >= sizeof(word) || memchr(text, '\0', length))
		return -1;
	memcpy(word, text, length);
	word[length] = '\0';
	if (addr_parse(word, addr))
		return -1;
	if (addr_is_v4(addr) && strchr(word, ':')) {
		snprintf(note, NOTE_SIZE, "; write %s", addr_text(addr, word));
		return -1;
	}
	range = groups && addr_is_group(addr) ? NULL : unusable(addr);
	if (range) {
		snprintf(note, NOTE_SIZE, "; this is %s", range);
		return -1;
	}
	return 0;
}

/* Clears the bits behind the prefix. Returns whether any was set. */
static bool clear_host_bits(struct prefix *prefix)
{
	struct addr was = prefix->address;

	for (__u32 bit = prefix->bits; bit < 128; bit++)
		prefix->address.w[bit / 32] &=
			~bpf_htonl(0x80000000u >> bit % 32);
	return memcmp(&was, &prefix->address, sizeof(was));
}

/* ADDRESS, or ADDRESS/BITS. */
static int store_prefix(const struct key *key, const char *text, size_t length,
			struct prefix *prefix, char note[NOTE_SIZE])
{
	const char *slash = memchr(text, '/', length);
	size_t head = slash ? (size_t)(slash - text) : length;
	char word[INET6_ADDRSTRLEN];
	__u64 bits = 128;
	__u32 most;

	if ((slash && key->groups) ||
	    store_address(text, head, key->groups, &prefix->address, note))
		return -1;
	most = addr_is_v4(&prefix->address) ? 32 : 128;
	if (slash && (read_number(slash + 1, length - head - 1, &bits) ||
		      !bits || bits > most)) {
		snprintf(note, NOTE_SIZE, "; its length is from 1 to %u", most);
		return -1;
	}
	prefix->bits = slash && most == 32 ? (__u32)bits + 96 : (__u32)bits;
	if (clear_host_bits(prefix)) {
		snprintf(note, NOTE_SIZE, "; write %s/%u",
			 addr_text(&prefix->address, word), (unsigned)bits);
		return -1;
	}
	return 0;
}

/* Nothing that could end the line of a request or message. */
static int store_text(const struct key *key, const char *text, size_t length,
		      char *field)
{
	if (length < key->min || length >= key->size)
		return -1;
	for (size_t i = 0; i < length; i++)
		if (text[i] < ' ' || text[i] > '~')
			return -1;
	memcpy(field, text, length);
	field[length] = '\0';
	return 0;
}

static int read_scalar(const struct key *key, const char *text, size_t length,
		       __u64 *value, char note[NOTE_SIZE])
{
	int bad;

	if (key->kind == KIND_SHARE && !read_share(text, length, value) &&
	    *value & SHARE_PERCENT)
		return 0;
	if (!read_keyword(key->keywords, text, length, value))
		return 0;
	if (key->renamed[0] && strlen(key->renamed[0]) == length &&
	    !memcmp(key->renamed[0], text, length))
		snprintf(note, NOTE_SIZE, "; \"%s\" is now \"%s\"",
			 key->renamed[0], key->renamed[1]);
	if (key->kind == KIND_KEYWORD)
		return -1;
	if (key->kind == KIND_DURATION)
		bad = read_duration(text, length, value);
	else
		bad = read_number(text, length, value);
	if (bad)
		return -1;
	if (key->kind == KIND_PRIME &&
	    (*value < key->min || *value > key->max || !is_prime(*value))) {
		snprintf(note, NOTE_SIZE, "; the nearest is %u",
			 nearest_prime(key, *value));
		return -1;
	}
	return *value < key->min || *value > key->max ? -1 : 0;
}

/* memcpy, not a cast: only the size of the field is known here. */
static void store_scalar(const struct key *key, __u32 value, char *field)
{
	__u16 narrow = (__u16)value;
	__be16 wire = bpf_htons(narrow);

	if (key->kind == KIND_PORT)
		memcpy(field, &wire, sizeof(wire));
	else if (key->size == sizeof(value))
		memcpy(field, &value, sizeof(value));
	else if (key->size == sizeof(narrow))
		memcpy(field, &narrow, sizeof(narrow));
	else
		*field = (char)value;
}

static int bad_value(const struct key *key, const char *text, size_t length,
		     const char *must, const char *note,
		     char problem[PROBLEM_SIZE])
{
	char word[QUOTED_SIZE];

	snprintf(problem, PROBLEM_SIZE, "%s %s: must be %s%s", key->name,
		 quoted(word, text, length), must, note);
	return -1;
}

int value_prefix(const struct key *key, const char *text, size_t length,
		 struct prefix *prefix, char problem[PROBLEM_SIZE])
{
	char note[NOTE_SIZE] = "";

	if (!store_prefix(key, text, length, prefix, note))
		return 0;
	return bad_value(key, text, length,
			 key->groups ? "an IPv4 or IPv6 address, unicast or "
				       "multicast"
				     : "an IPv4 or IPv6 unicast address or "
				       "prefix",
			 note, problem);
}

int value_store(const struct key *key, const char *text, size_t length,
		void *record, char problem[PROBLEM_SIZE])
{
	char *field = (char *)record + key->offset;
	char allowed[ALLOWED_SIZE];
	char note[NOTE_SIZE] = "";
	struct addr addr;
	__u64 value;

	if (key->kind == KIND_ADDRESS) {
		if (!store_address(text, length, false, &addr, note)) {
			memcpy(field, &addr, sizeof(addr));
			return 0;
		}
	} else if (key->kind == KIND_TEXT) {
		if (!store_text(key, text, length, field))
			return 0;
	} else if (!read_scalar(key, text, length, &value, note)) {
		store_scalar(key, (__u32)value, field);
		return 0;
	}
	return bad_value(key, text, length, key_allowed(key, allowed), note,
			 problem);
}

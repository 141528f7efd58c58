// SPDX-License-Identifier: GPL-2.0-only
/*
 * keys.c - see keys.h
 *
 * Defaults are text as a user would write it and are read by the same code as
 * the file, so they obey the same limits.
 */
#include "common/config/keys.h"

#include <netinet/in.h>
#include <stdarg.h>
#include <string.h>

#include "common/config/config.h"

const struct level_info levels[LEVELS] = {
	[LEVEL_FILE] = {"file", sizeof(struct config), 0, 1},
	[LEVEL_SERVICE] = {"service", sizeof(struct config_service),
			   offsetof(struct config_service, line), MAX_SERVICES},
	[LEVEL_BACKEND] = {"backend", sizeof(struct config_backend),
			   offsetof(struct config_backend, line), MAX_BACKENDS},
	[LEVEL_CHECK] = {"check", sizeof(struct config_check),
			 offsetof(struct config_check, line), MAX_SERVICES},
};

static const struct word unmatched_words[] = {{"local", UNMATCHED_LOCAL},
					      {"drop", UNMATCHED_DROP},
					      {"pass", UNMATCHED_PASS},
					      {}};
static const struct word claim_words[] = {{"none", 0}, {"arp", 1}, {}};
static const struct word protocol_words[] = {
	{"tcp", IPPROTO_TCP}, {"udp", IPPROTO_UDP}, {}};
static const struct word scheduler_words[] = {
#define SCHEDULER_WORD(NAME, name, word, kind, order) {word, SCHEDULER_##NAME},
	SCHEDULERS(SCHEDULER_WORD)
#undef SCHEDULER_WORD
		{}};
static const struct word forward_words[] = {
#define METHOD_WORD(name, NAME, crosses, text) {#name, FORWARD_##NAME},
	METHODS(METHOD_WORD)
#undef METHOD_WORD
		{}};
static const struct word fragments_words[] = {
	{"by-id", 0}, {"by-address", 1}, {}};
static const struct word port_words[] = {{"any", 0}, {}};
static const struct word mtu_words[] = {{"route", 0}, {}};
static const struct word checksum_words[] = {
	{"keep", CHECKSUM_KEEP}, {"update", CHECKSUM_UPDATE}, {}};
static const struct word none_words[] = {{"none", 0}, {}};
static const struct word check_words[] = {
	{"tcp", CHECK_TCP}, {"http", CHECK_HTTP}, {"https", CHECK_HTTPS},
	{"udp", CHECK_UDP}, {"none", CHECK_NONE}, {}};
static const struct word status_words[] = {{"ok", 0}, {}};
static const struct word service_words[] = {{"service", 0}, {}};
static const struct word down_words[] = {
	{"keep", DOWN_KEEP}, {"move", DOWN_MOVE}, {}};
static const struct word all_down_words[] = {{"all", ALL_DOWN_ALL},
					     {"drop", ALL_DOWN_DROP},
					     {"pass", ALL_DOWN_PASS},
					     {}};
static const struct word silence_words[] = {
	{"bad", SILENCE_BAD}, {"good", SILENCE_GOOD}, {}};
static const struct word bool_words[] = {{"true", 1}, {"false", 0}, {}};

#define FIELD(record, member)                                                  \
	.offset = offsetof(struct record, member),                             \
	.size = sizeof(((struct record *)0)->member)
#define LIST(record, member, count, entry_level)                               \
	FIELD(record, member), .kind = KIND_LIST, .entry = entry_level,        \
			       .count_offset = offsetof(struct record, count), \
			       .min = 1

#define PREFIXES(record, member, count, most)                                  \
	FIELD(record, member), .kind = KIND_PREFIXES,                          \
			       .count_offset = offsetof(struct record, count), \
			       .min = 1, .max = most

#define TYPES_HTTP (TYPE(CHECK_HTTP) | TYPE(CHECK_HTTPS))
#define TYPES_TCP  (TYPE(CHECK_TCP) | TYPES_HTTP)

#define SECONDS 1000u
#define HOURS	(3600 * SECONDS)

/* clang-format off */
const struct key keys[] = {
	{LEVEL_FILE, "services",
	 LIST(config, services, service_count, LEVEL_SERVICE),
	 .max = MAX_SERVICES,
	 .help = "What clients connect to."},
	{LEVEL_FILE, "unmatched", KIND_WORD, FIELD(config, unmatched),
	 .words = unmatched_words, .standard = "local",
	 .help = "What becomes of a packet for a VIP but for none of its "
		 "services: `local` passes it to the load balancer's kernel "
		 "where the VIP is an address of that host (SSH), and drops "
		 "it elsewhere; `drop` drops it everywhere; `pass` passes it, "
		 "unless that kernel would send it back."},
	{LEVEL_FILE, "claim", KIND_WORD, FIELD(config, claim),
	 .words = claim_words, .standard = "none",
	 .help = "Who answers ARP (IPv6: ND) for the VIPs in a LAN where no "
		 "router sends them to the load balancer: `arp`: the load "
		 "balancer, on the interfaces of `lbr up`; `none`: only a host "
		 "that has the address."},
	{LEVEL_FILE, "flow-table-size", KIND_NUMBER,
	 FIELD(config, flow_table_size),
	 .min = 1, .max = 16777216, .standard = "1000000",
	 .help = "How many flows are remembered at once, over all services."},
	{LEVEL_FILE, "handshake-grace", KIND_DURATION,
	 FIELD(config, handshake_grace),
	 .min = 0, .max = 60 * SECONDS, .standard = "3s",
	 .help = "How long after a change a handshake begun before it still "
		 "goes to the backend it began with."},
	{LEVEL_FILE, "udp-idle", KIND_DURATION, FIELD(config, udp_idle),
	 .min = 1 * SECONDS, .max = 24 * HOURS, .standard = "60s",
	 .help = "A UDP flow without a packet for this long is forgotten."},
	{LEVEL_FILE, "grace", KIND_DURATION, FIELD(config, restore_grace),
	 .min = 0, .max = 24 * HOURS, .standard = "10min",
	 .help = "How long the roll-out of a change may take: a backend goes "
		 "on restoring what has left the file for this time plus "
		 "`drain-timeout`."},
	{LEVEL_FILE, "drain-timeout", KIND_DURATION,
	 FIELD(config, drain_timeout),
	 .min = 0, .max = 24 * HOURS, .standard = "5min",
	 .help = "How long a backend or a service that has left the file "
		 "keeps the flows it has; `0s`: it loses them at once."},
	{LEVEL_FILE, "next-hop-age", KIND_DURATION, FIELD(config, next_hop_age),
	 .min = 0, .max = 10 * SECONDS, .standard = "100ms",
	 .help = "How long an answer of the kernel's FIB is remembered; `0s` "
		 "asks it for each packet."},
	{LEVEL_FILE, "insert-limit", KIND_NUMBER, FIELD(config, insert_limit),
	 .min = 1, .max = 10000000, .standard = "50000",
	 .help = "How many flows each CPU may begin to remember in a second."},
	{LEVEL_FILE, "answer-limit", KIND_NUMBER, FIELD(config, answer_limit),
	 .min = 0, .max = 1000000, .standard = "1000",
	 .help = "How many ICMP errors each CPU may send in a second about "
		 "TTLs that have expired; about packets that are too big, "
		 "a sixteenth of it for each client (IPv6: each /64). `0`: "
		 "none."},
	{LEVEL_FILE, "advmss", KIND_NUMBER, FIELD(config, advmss),
	 .min = 88, .max = 65495, .words = mtu_words, .standard = "route",
	 .help = "The largest TCP segment that a backend asks clients for: "
		 "`bkd up` puts it on this host's routes, and `bkd down` takes "
		 "it off again."},
	{LEVEL_FILE, "outer-source",
	 PREFIXES(config, outer_sources, outer_source_count, 2),
	 .standard = "none",
	 .help = "Where `ipip` sends from, one of each family; of a prefix, the "
		 "flow draws an address. For lack of one, the load balancer's "
		 "own address where the packet came in."},
	{LEVEL_FILE, "lb-sources",
	 PREFIXES(config, lb_sources, lb_source_count, MAX_SOURCES),
	 .standard = "none",
	 .help = "Of whom a backend takes `ipip` packets: what load balancers "
		 "send from. Required where a service has it."},

	{LEVEL_SERVICE, "vip", KIND_ADDRESS, FIELD(config_service, vip),
	 .help = "The virtual IP address."},
	{LEVEL_SERVICE, "port", KIND_PORT, FIELD(config_service, port),
	 .min = 1, .max = 65535, .words = port_words,
	 .help = "The port; `any` takes what no other service of the VIP and "
		 "protocol takes."},
	{LEVEL_SERVICE, "protocol", KIND_WORD, FIELD(config_service, protocol),
	 .words = protocol_words, .standard = "tcp",
	 .help = "The protocol above IP."},
	{LEVEL_SERVICE, "scheduler", KIND_WORD,
	 FIELD(config_service, scheduler),
	 .words = scheduler_words, .standard = "maglev",
	 .help = "How the backend of a new flow is chosen: `maglev` by a hash "
		 "of the flow, the same on every load balancer; `random` by "
		 "chance; `round-robin` in turn, by weight; `source-hash` by "
		 "a hash of the client's address alone."},
	{LEVEL_SERVICE, "forward", KIND_WORD, FIELD(config_service, method.forward),
	 .words = forward_words, .standard = "rewrite",
	 .help = "The method by which a packet reaches the backend."},
	{LEVEL_SERVICE, "dscp", KIND_NUMBER, FIELD(config_service, method.dscp),
	 .min = 1, .max = 63, .words = none_words, .standard = "none",
	 .help = "With `forward: dscp`, and required there: the mark of this "
		 "VIP."},
	{LEVEL_SERVICE, "checksum", KIND_WORD,
	 FIELD(config_service, method.checksum),
	 .words = checksum_words, .standard = "keep",
	 .help = "With `rewrite` and `dscp`, the checksum above IP: `keep` "
		 "leaves it that of the VIP; `update` makes it true on the "
		 "wire, for a restorer other than xdp_bkd."},
	{LEVEL_SERVICE, "table-size", KIND_PRIME,
	 FIELD(config_service, table_size),
	 .min = 251, .max = 131071, .standard = "65537",
	 .help = "Slots in the service's table. At least 100 for each "
		 "backend, or their shares become uneven."},
	{LEVEL_SERVICE, "fragments", KIND_WORD,
	 FIELD(config_service, by_address),
	 .words = fragments_words, .standard = "by-id",
	 .help = "`by-id`: a fragment goes where its packet's first one went, "
		 "which must have come before; `by-address`: all that a client "
		 "sends goes to one backend, fragments in any order (udp, the "
		 "VIP's only service of it)."},
	{LEVEL_SERVICE, "check", KIND_RECORD, FIELD(config_service, check),
	 .entry = LEVEL_CHECK, .standard = "none",
	 .help = "How `lbr run` finds out whether a backend is up; keys below."},
	{LEVEL_SERVICE, "on-down", KIND_WORD, FIELD(config_service, on_down),
	 .words = down_words, .standard = "keep",
	 .help = "What becomes of a backend's flows when its application is "
		 "down (something came back from it, and was bad): `keep` "
		 "leaves them there; `move` selects them anew. Where the path "
		 "to it is down (nothing came back), they always move."},
	{LEVEL_SERVICE, "on-all-down", KIND_WORD,
	 FIELD(config_service, on_all_down),
	 .words = all_down_words, .renamed = {"last", "all"},
	 .standard = "all",
	 .help = "Where new flows go when every backend is down: `all`: to "
		 "those whose path is good or, if there are none, to all; "
		 "`drop`: nowhere; `pass` (also when all drain): to the load "
		 "balancer's kernel."},
	{LEVEL_SERVICE, "backends",
	 LIST(config_service, backends, backend_count, LEVEL_BACKEND),
	 .max = MAX_BACKENDS,
	 .help = "The machines that answer."},

	{LEVEL_BACKEND, "address", KIND_ADDRESS,
	 FIELD(config_backend, address),
	 .help = "Where the backend is reached; no VIP itself, and of the "
		 "VIP's family, but for `ipip` and `l2`."},
	{LEVEL_BACKEND, "weight", KIND_NUMBER, FIELD(config_backend, weight),
	 .min = 1, .max = 1000, .standard = "1",
	 .help = "Its share of new flows, relative to the other backends."},
	{LEVEL_BACKEND, "mtu", KIND_NUMBER, FIELD(config_backend, mtu),
	 .min = 576, .max = 65535, .words = mtu_words, .standard = "route",
	 .help = "The largest packet that the way there takes, where that is "
		 "less than the route says: larger ones are answered."},
	{LEVEL_BACKEND, "drain", KIND_WORD, FIELD(config_backend, drain),
	 .words = bool_words, .standard = "false",
	 .help = "`true`: keeps the flows it has and gets no new ones."},

	{LEVEL_CHECK, "type", KIND_WORD, FIELD(config_check, type),
	 .words = check_words, .standard = "tcp",
	 .help = "`tcp`: it takes a connection; `http`, `https` (of any "
		 "certificate): it answers a GET; `udp`: it answers a "
		 "datagram. All ask the VIP, by way of the backend. A check "
		 "without `type` that has a key of http is `http`, one that "
		 "has a key of udp is `udp`."},
	{LEVEL_CHECK, "interval", KIND_DURATION,
	 FIELD(config_check, interval),
	 .min = 100, .max = 1 * HOURS, .standard = "2s",
	 .help = "From the begin of a check to that of the next."},
	{LEVEL_CHECK, "timeout", KIND_DURATION, FIELD(config_check, timeout),
	 .min = 50, .max = 1 * HOURS, .standard = "1s",
	 .help = "How long an answer may take; at most half of `interval`."},
	{LEVEL_CHECK, "rise", KIND_NUMBER, FIELD(config_check, rise),
	 .min = 1, .max = 1000, .standard = "2",
	 .help = "So many good checks in a row, and a backend that was down "
		 "is up."},
	{LEVEL_CHECK, "fall", KIND_NUMBER, FIELD(config_check, fall),
	 .min = 1, .max = 1000, .standard = "3",
	 .help = "So many bad ones in a row, and it is down, no later than "
		 "`interval` x `fall` after it died (of 1: and `timeout`)."},
	{LEVEL_CHECK, "port", KIND_PORT, FIELD(config_check, port),
	 .min = 1, .max = 65535, .words = service_words,
	 .standard = "service",
	 .help = "The VIP's port that is asked; to be named for a service of "
		 "any port, and for no other."},
	{LEVEL_CHECK, "application-port", KIND_PORT,
	 FIELD(config_check, application_port),
	 .min = 1, .max = 65535, .words = none_words, .standard = "none",
	 .types = TYPES_TCP,
	 .help = "Of tcp, http and https: the port of the backend's own "
		 "address where the application is asked, apart from the "
		 "path; the VIP then has to take a connection only. With "
		 "`rewrite`, no service's."},
	{LEVEL_CHECK, "path", KIND_TEXT, FIELD(config_check, path),
	 .min = 1, .standard = "/",
	 .types = TYPES_HTTP,
	 .help = "Of http and https: what is asked for."},
	{LEVEL_CHECK, "host", KIND_TEXT, FIELD(config_check, host),
	 .standard = "",
	 .types = TYPES_HTTP,
	 .help = "Of http and https: the name in the request, and in TLS; "
		 "empty: the VIP."},
	{LEVEL_CHECK, "status", KIND_NUMBER, FIELD(config_check, status),
	 .min = 100, .max = 599, .words = status_words, .standard = "ok",
	 .types = TYPES_HTTP,
	 .help = "Of http and https: the status that is good; `ok`: any 2xx "
		 "or 3xx."},
	{LEVEL_CHECK, "body", KIND_TEXT, FIELD(config_check, body),
	 .standard = "",
	 .types = TYPES_HTTP | TYPE(CHECK_UDP),
	 .help = "Of http, https and udp: what the answer must contain, of "
		 "http in its first 64 KiB."},
	{LEVEL_CHECK, "send", KIND_TEXT, FIELD(config_check, send),
	 .standard = "",
	 .types = TYPE(CHECK_UDP),
	 .help = "Of udp: what is sent."},
	{LEVEL_CHECK, "silence", KIND_WORD, FIELD(config_check, silence),
	 .words = silence_words, .standard = "bad",
	 .types = TYPE(CHECK_UDP),
	 .help = "Of udp: `good` where the server never answers: down is then "
		 "what refuses a datagram, or where none can be sent. A machine "
		 "that is off is as silent."},
};
/* clang-format on */
const size_t key_count = sizeof(keys) / sizeof(keys[0]);
_Static_assert(sizeof(keys) / sizeof(keys[0]) <= MAX_KEYS, "MAX_KEYS");

const struct key *key_find(enum level level, const char *name, size_t length)
{
	for (size_t i = 0; i < key_count; i++)
		if (keys[i].level == level && strlen(keys[i].name) == length &&
		    !memcmp(keys[i].name, name, length))
			return &keys[i];
	return NULL;
}

/* As snprintf(), after what `text` holds already. */
__attribute__((format(printf, 2, 3))) static void
append(char text[ALLOWED_SIZE], const char *format, ...)
{
	size_t used = strlen(text);
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text + used, ALLOWED_SIZE - used, format, arguments);
	va_end(arguments);
}

const char *duration_text(__u32 milliseconds, char text[DURATION_SIZE])
{
	if (milliseconds && milliseconds % HOURS == 0)
		snprintf(text, DURATION_SIZE, "%uh", milliseconds / HOURS);
	else if (milliseconds && milliseconds % (60 * SECONDS) == 0)
		snprintf(text, DURATION_SIZE, "%umin",
			 milliseconds / (60 * SECONDS));
	else if (milliseconds % SECONDS == 0)
		snprintf(text, DURATION_SIZE, "%us", milliseconds / SECONDS);
	else
		snprintf(text, DURATION_SIZE, "%ums", milliseconds);
	return text;
}

static void append_duration(char text[ALLOWED_SIZE], __u32 milliseconds)
{
	char duration[DURATION_SIZE];

	append(text, "%s", duration_text(milliseconds, duration));
}

const char *key_types(__u32 types, char text[ALLOWED_SIZE])
{
	const struct word *word;

	text[0] = '\0';
	for (word = check_words; word->name; word++) {
		if (types & TYPE(word->value))
			append(text, "%s%s", *text ? " or " : "", word->name);
	}
	return text;
}

static void append_words(char text[ALLOWED_SIZE], const struct word *words)
{
	for (const struct word *word = words; word && word->name; word++)
		append(text, "%s%s", *text ? " or " : "", word->name);
}

const char *key_allowed(const struct key *key, char text[ALLOWED_SIZE])
{
	text[0] = '\0';
	switch (key->kind) {
	case KIND_LIST:
		append(text, "a list of %u to %u %ss", key->min, key->max,
		       levels[key->entry].name);
		break;
	case KIND_PREFIXES:
		append(text, "a list of %u to %u addresses or prefixes",
		       key->min, key->max);
		break;
	case KIND_RECORD:
		append(text, "a mapping");
		break;
	case KIND_TEXT:
		append(text, "%u to %zu printable ASCII characters", key->min,
		       key->size - 1);
		break;
	case KIND_ADDRESS:
		append(text, "an IPv4 or IPv6 unicast address");
		break;
	case KIND_NUMBER:
	case KIND_PORT:
		append(text, "a number from %u to %u", key->min, key->max);
		break;
	case KIND_PRIME:
		append(text, "a prime from %u to %u", key->min, key->max);
		break;
	case KIND_DURATION:
		append(text, "a duration from ");
		append_duration(text, key->min);
		append(text, " to ");
		append_duration(text, key->max);
		append(text, ", with its unit (ms, s, min or h)");
		break;
	case KIND_WORD:
		break;
	}
	append_words(text, key->words);
	return text;
}

const char *key_names(enum level level, char text[ALLOWED_SIZE])
{
	text[0] = '\0';
	for (size_t i = 0; i < key_count; i++)
		if (keys[i].level == level)
			append(text, "%s%s", *text ? ", " : "", keys[i].name);
	return text;
}

void config_print_keys(FILE *out)
{
	fputs("| Key | Of a | Allowed | Default | Meaning |\n"
	      "|---|---|---|---|---|\n",
	      out);
	for (size_t i = 0; i < key_count; i++) {
		const struct key *key = &keys[i];
		char allowed[ALLOWED_SIZE];

		fprintf(out, "| `%s` | %s | %s | %s | %s |\n", key->name,
			levels[key->level].name, key_allowed(key, allowed),
			!key->standard	 ? "required"
			: *key->standard ? key->standard
					 : "(empty)",
			key->help);
	}
}

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * config.h - the configuration file, parsed and validated
 *
 * One file serves both roles. A struct config is complete and valid, or there
 * is none: config_read() refuses the whole file at its first fault.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "common/core/abi.h"
#include "common/core/abi_services.h"
#include "common/core/abi_workers.h"
#include "common/core/scheduler.h"

/* Where a backend's server listens: key `restore`. */
enum config_restore {
	RESTORE_LO, /* on the VIP, which is on lo */
	RESTORE_TC, /* on the backend's own address */
};

/* Key `state`; STATE_DRAINING is kept as `drain`. */
enum config_state {
	STATE_ACTIVE,
	STATE_FILLING, /* gets new flows; older ones may be elsewhere */
	STATE_DRAINING,
};

struct config_backend {
	struct addr address;
	__be16 port;	     /* of its server; 0: the service's */
	__u16 weight;	     /* 1-1000 */
	__u16 weight_before; /* 0: the same */
	__u16 mtu;	     /* of the path to it; 0: as the route says */
	__u8 state;	     /* enum config_state */
	__u8 restore;	     /* enum config_restore */
	bool drain;	     /* keeps its flows, gets no new ones */
	__u16 before, after; /* weights by the file, see transition.h */
	__u8 override;	     /* enum override: set by a verb, not by a file */
	__u8 finding; /* enum health_finding, if struct config.findings_known */
	unsigned int line;
};

enum check_type {
	CHECK_NONE,
	CHECK_TCP,
	CHECK_HTTP,
	CHECK_HTTPS,
	CHECK_UDP,
	CHECK_HEARTBEAT, /* none by the load balancer: see enum heartbeat_use */
};

/* Do backends check themselves, and report it by heartbeats? */
enum heartbeat_use {
	HEARTBEATS_NONE,
	HEARTBEATS_BESIDE, /* beside the check through the path */
	HEARTBEATS_ALONE,  /* of CHECK_HEARTBEAT always */
};

/* What it means if a backend does not answer. */
enum no_answer {
	NO_ANSWER_DOWN,
	NO_ANSWER_UP, /* of CHECK_UDP only */
};

#define CHECK_TEXT 128 /* the longest text, with its NUL */

/* How the health of a service's backends is checked. */
struct config_check {
	__u8 type;	/* enum check_type; what follows is 0 for CHECK_NONE */
	__u8 no_answer; /* enum no_answer */
	__u16 heartbeats; /* enum heartbeat_use; see health_heartbeats() */
	__u16 rise;	  /* consecutive good ones: up */
	__u16 fall;	  /* consecutive bad ones: down */
	__u16 status;	  /* of HTTP; 0: any 2xx or 3xx */
	__be16 port;	  /* 0: the service's */
	__be16 application_port; /* of the backend itself; 0: not asked */
	__u32 interval;		 /* milliseconds */
	__u32 timeout;		 /* milliseconds */
	char path[CHECK_TEXT];
	char host[CHECK_TEXT]; /* "": the VIP */
	char body[CHECK_TEXT]; /* "": any */
	char send[CHECK_TEXT];
	unsigned int line;
};

/* Key `was`: a service's table before its last change. */
struct config_was {
	__u32 table_size; /* 0: as today */
	__u8 scheduler;	  /* 1 + enum scheduler; 0: as today */
	unsigned int line;
};

/* What happens to the flows of a backend whose application is down. */
enum on_down {
	DOWN_KEEP, /* they stay; it gets no new ones */
	DOWN_MOVE,
};

/* What happens to a service's new flows if no backend is up. */
enum on_all_down {
	ALL_DOWN_ALL, /* they go where the path is good; if nowhere, to all */
	ALL_DOWN_DROP,
	ALL_DOWN_PASS,
};

/* What a load balancer remembers of a service's flows. */
enum flow_memory {
	FLOWS_REMEMBER,
	FLOWS_SECOND_CHANCE, /* nothing, but for what its verdicts move */
};

/* When backends look for a service's flows at each other. */
enum second_chance {
	CHANCE_TRANSITION, /* while any of them is in transition */
	CHANCE_ALWAYS,	   /* also at a standing deputy */
};

/*
 * How many of a service's backends have to be up: a number, or with
 * SHARE_PERCENT a percentage of those that are to serve, 1-100.
 */
#define SHARE_PERCENT 0x80000000u

#define ANNOUNCE_TEXT 96 /* the longest path, with its NUL */

/* Key `announce`: how others learn which VIPs this load balancer serves. */
struct config_announce {
	__u32 table;	    /* of the routes; 0: there are none */
	__u32 protocol;	    /* of the routes, rtm_protocol */
	__u32 metric;	    /* of a route to a VIP that is fit ... */
	__u32 metric_unfit; /* ... and to one that is not; larger */
	__u32 leave_after;  /* milliseconds */
	char track_files[ANNOUNCE_TEXT]; /* their directory; "": none */
	char hook[ANNOUNCE_TEXT];	 /* a program; "": none */
	unsigned int line;		 /* 0: the file has no such key */
};

struct config_service {
	struct addr vip;
	__be16 port;	/* 0: any */
	__u8 protocol;	/* IPPROTO_TCP or IPPROTO_UDP */
	__u8 scheduler; /* enum scheduler, see scheduler.h */
	struct method method;
	bool by_address;     /* key `fragments`: ports do not matter */
	__u8 on_down;	     /* enum on_down */
	__u8 on_all_down;    /* enum on_all_down */
	__u8 flows;	     /* enum flow_memory */
	__u8 chance;	     /* enum second_chance */
	__u8 threads;	     /* of each backend; 0: not SCHEDULER_WORKERS */
	__u8 load_balancers; /* that share them */
	__be16 release;	     /* port for servers' messages; 0: none */
	__u32 lease;	     /* milliseconds that a request may take */
	__u32 queue;	     /* requests */
	char release_key[RELEASE_KEY + 1];
	__u32 minimum_up;      /* see SHARE_PERCENT */
	__u32 table_size;      /* a prime */
	struct config_was was; /* see transition.h */
	struct config_check check;
	struct config_backend *backends;
	size_t backend_count; /* at least 1 */
	unsigned int line;
};

struct config {
	struct config_service *services;
	size_t service_count;	   /* at least 1 */
	__u8 claim;		   /* 0: none; 1: by ARP and ND */
	__u8 unmatched;		   /* enum unmatched, see abi.h */
	__u32 flow_table_size;	   /* entries */
	__u32 handshake_grace;	   /* milliseconds */
	__u32 udp_idle;		   /* milliseconds */
	__u32 restore_grace;	   /* milliseconds; key `grace` */
	__u32 drain_timeout;	   /* milliseconds */
	__u32 next_hop_age;	   /* milliseconds; 0: no cache */
	__u32 insert_limit;	   /* flows per second and CPU */
	__u32 icmp_error_limit;	   /* ICMP errors per second and CPU */
	__u32 second_chance_limit; /* packets per second and CPU */
	__u32 advmss;		   /* bytes; 0: as the backend's routes say */
	struct prefix *outer_sources; /* at most one of each family */
	size_t outer_source_count;
	struct prefix *nat_sources;
	size_t nat_source_count;
	__u32 nat_first_port; /* to 65535 */
	__u32 nat_table_size; /* flows */
	struct prefix *lb_sources;
	size_t lb_source_count;
	struct prefix *release_to; /* addresses */
	size_t release_to_count;
	struct config_announce announce;
	struct prefix *heartbeat_to; /* groups and addresses; none: see
					heartbeat_targets() */
	size_t heartbeat_to_count;
	struct prefix *heartbeat_networks;
	size_t heartbeat_network_count;
	__u32 heartbeat_interval; /* milliseconds */
	__u32 heartbeat_clock;	  /* milliseconds */
	__be16 heartbeat_port;
	__u8 digest[32];     /* of what the file means: see write.h */
	char *path;	     /* as the user named it */
	bool is_running;     /* the running state, not a file's */
	bool findings_known; /* the backends say what checks found */
};

/*
 * Reads `path`. On success fills in *config (release it with config_free) and
 * returns 0. Else returns -1 and writes to `why` one line without a newline:
 * "FILE:LINE: what, and what is allowed", or "FILE: cause" if it is about no
 * line; *config is then empty and need not be freed.
 *
 * What is allowed but most likely a mistake goes to `warnings` (NULL: nowhere),
 * one line "FILE:LINE: warning: ..." each.
 */
int config_read(const char *path, struct config *config, char *why,
		size_t why_size, FILE *warnings);

/* The same from memory; `name` stands for the file's name. */
int config_parse(const char *name, const char *text, size_t length,
		 struct config *config, char *why, size_t why_size,
		 FILE *warnings);

void config_free(struct config *config);
/* The file's service of the same VIP, port and protocol, or NULL. */
const struct config_service *
config_service_like(const struct config *config,
		    const struct config_service *like);
/* The service's backend of this address, or NULL. */
const struct config_backend *
config_backend_of(const struct config_service *service,
		  const struct addr *address);

/*
 * The table of keys, for `check --help`: a Markdown table on `out`, its head
 * and one line a key.
 */
void config_print_keys(FILE *out);

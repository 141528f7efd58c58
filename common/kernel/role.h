/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * role.h - what lbr and bkd have in common, and where they differ
 *
 * Both tools work alike: a table of verbs, a program in the kernel, a
 * configuration that is built aside and switched to. A struct role says which
 * program, what is built from the file, and what the host must have.
 */
#pragma once

#include <stdbool.h>
#include <stdio.h>

#include "common/base/fault.h"
#include "common/config/config.h"
#include "common/core/abi.h"
#include "common/core/abi_services.h"

enum exit_status {
	EXIT_DONE = 0,
	EXIT_FAILED = 1,
	EXIT_USAGE = 2,
	EXIT_PROBLEM = 3, /* check or doctor found one */
	EXIT_STEPS = 4,	  /* plan: there are some to take */
};

#define DEFAULT_CONFIG	  "/etc/l3dsr/services.yaml"
#define DEFAULT_INTERFACE "eth0"
#define LBR_LISTEN	  "127.0.0.1:8404"
#define BKD_LISTEN	  "127.0.0.1:8405"
#define TRACE_PIPE	  "/sys/kernel/tracing/trace_pipe"

struct bpf_object;
struct doctor;
struct kernel;
struct options;
struct role;
struct status_source;

struct verb {
	const char *name;
	const char *argument; /* "FILE"; "a|b": one of these; NULL: none */
	const char *help;
	int (*run)(const struct role *role, const struct options *options);
	const char *arguments; /* required: "BACKEND WEIGHT"; NULL: none */
};

/* A part of `show`, by its name. */
struct section {
	const char *name;
	/* An array of flat objects, or NULL with a fault. */
	struct json_t *(*rows)(const struct kernel *kernel,
			       struct fault *fault);
	bool summary; /* also part of the summary */
	/* People are not shown rows where this is 0, unless they ask. */
	const char *count;
	/*
	 * The section that it is shown with, for it is never shown alone. Its
	 * own name: few hosts have it, so people see it only if it has rows.
	 */
	const char *with;
};

/* What a check needs to look at: it waits until that is there. */
enum needs {
	NEEDS_NOTHING,
	NEEDS_FILE = 1,
	NEEDS_UP = 2,
	NEEDS_BOTH = NEEDS_FILE | NEEDS_UP,
};

/* One check of `doctor`. */
struct examination {
	const char *name;
	const char *help; /* what is found if all is well */
	enum needs needs;
	void (*look)(struct doctor *doctor);
};

/* Stages of an `up`, at which the program before has written more. */
enum carry_stage {
	CARRY_LOADED,	 /* most, while nothing is urgent */
	CARRY_ATTACHING, /* just before packets meet the new program */
	CARRY_ATTACHED,	 /* just after: the rest */
};

struct role {
	const char *name;    /* "lbr" */
	const char *program; /* "xdp_lbr" */
	/*
	 * Programs that it calls, in the order of its map `programs`; NULL
	 * ends. NULL: none. Where the kernel lacks what they need, they are not
	 * loaded: kernel_can_apart().
	 */
	const char *const *apart;
	/*
	 * A program that chooses listeners (sk_lookup), and its map of sockets;
	 * NULL: none. Where the kernel lacks maps of sockets, neither is
	 * loaded: kernel_can_keep_sockets().
	 */
	const char *lookup;
	const char *sockets;
	int in;		    /* IN_LBR or IN_BKD: the reasons it counts */
	const char *what;   /* one line for --help */
	const char *listen; /* where `run` serves by default */
	const struct verb *verbs;
	const struct section *sections; /* of `show` */
	const struct examination
		*examinations; /* of `doctor`, in their order */
	const struct status_source *status_source; /* of `run` */

	/* Opens the object; its maps are made and it is loaded elsewhere. */
	struct bpf_object *(*open)(const struct constants *constants);

	/* The names of the pinned maps; NULL ends. */
	const char *const *maps;
	/* Those with one inner map for each generation; NULL ends. */
	const char *const *inner;

	/*
	 * Sets sizes that depend on the file, before the load. Returns 0 or -1.
	 */
	int (*prepare)(struct kernel *kernel, const struct config *config,
		       struct fault *fault);
	/*
	 * Can it read the maps of this layout, another than L3DSR_LAYOUT? Then
	 * `up` takes over what they know: kernel->before.
	 */
	bool (*reads)(const char *layout);
	/*
	 * After a load that replaced a map by another of its name, or that
	 * takes over from another layout: called at each stage.
	 */
	int (*carry_over)(struct kernel *kernel, enum carry_stage stage,
			  struct fault *fault);

	/*
	 * Does the file concern this host? If not, the fault says what was
	 * looked for.
	 */
	int (*concerns)(const struct kernel *kernel,
			const struct config *config, struct fault *fault);

	/*
	 * Fills the generation at `index` from the file, and completes the
	 * generation's struct; no packet sees it yet.
	 */
	int (*build)(struct kernel *kernel, const struct config *config,
		     __u32 index, struct generation *generation,
		     struct fault *fault);

	/*
	 * Prints how two generations differ, a line each; `config`: what the
	 * one after was built from. Returns the number of lines.
	 */
	int (*diff)(struct kernel *kernel, __u32 before, __u32 after,
		    const struct config *config, FILE *out);

	/* Changes the host as needed; each change is noted. */
	int (*host)(struct kernel *kernel, const struct config *config,
		    const char *const *interfaces, struct fault *fault);
	/*
	 * What the user should know about a valid file on this host, a line
	 * each, for `check`, `up` and `apply`. NULL: nothing.
	 */
	void (*notes)(const struct config *config, FILE *out);
	/* Undoes what packets needed until the switch. NULL: nothing. */
	void (*settle)(struct kernel *kernel, const struct config *config);
	/*
	 * Before the last `down`, without the lock: others are told not to send
	 * packets here any more, and that takes its time. *announced: they were
	 * told to. Returns 0, or with a fault -1 or KERNEL_NOT_UP. NULL: nobody
	 * was told.
	 */
	int (*leave)(const struct role *role, bool *announced,
		     struct fault *fault);
};

/* This tool's role: lbr.c's or bkd.c's. */
extern const struct role tool;

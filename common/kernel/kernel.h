/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * kernel.h - the only way to the kernel: pins, maps, programs, links
 *
 * The kernel holds the state. Pinned maps and one pinned bpf_link for each
 * interface lie under /sys/fs/bpf/l3dsr/NAME-LAYOUT/. A process that changes
 * them holds the directory's lock, so there is only one at a time. A process
 * that reads them takes no lock, waits for nobody, and checks afterwards
 * whether they have changed.
 *
 * Only common/kernel/ knows libbpf's objects; elsewhere a map is a file
 * descriptor, for the bpf(2) wrappers of <bpf/bpf.h>.
 */
#pragma once

#include <linux/bpf.h>
#include <net/if.h>
#include <stdbool.h>

#include "common/kernel/role.h"

enum access {
	ACCESS_READ,	  /* beside all others, see kernel_changed() */
	ACCESS_CHANGE,	  /* alone */
	ACCESS_TRY,	  /* alone, and without waiting */
	ACCESS_CREATE,	  /* alone; the directory need not exist yet, and may be
			     of another layout that can be read */
	ACCESS_TAKE_OVER, /* ... or of any other layout */
	ACCESS_END,	  /* alone; beside a directory of any other layout */
};

/* kernel_open(): nothing is there; the fault says so. */
#define KERNEL_NOT_UP 1
/* ... with ACCESS_TRY: another process is changing it; the fault names it. */
#define KERNEL_BUSY 2
/* How often a reader starts again if something changed while it read. */
#define KERNEL_READS 5

enum mode {
	MODE_AUTO,
	MODE_NATIVE,
	MODE_GENERIC,
};

/* One interface during an `up`, so that the attachment can be undone. */
struct attachment {
	char name[IF_NAMESIZE]; /* its name now */
	char pin[IF_NAMESIZE];	/* ... and when its link was pinned */
	int ifindex;		/* 0: the interface is gone */
	enum mode mode;		/* MODE_AUTO: native, if the driver takes it */
	char why[160];		/* why this mode was chosen */
	int link;		/* fd */
	__u32 id;		/* of the program that was attached */
	int old_program;	/* fd; -1: the link is new */
	enum mode old_mode;	/* in another mode: a new link must be made */
	bool is_before;		/* pinned by the build that is taken over */
};

#define KERNEL_DIRECTORY 128 /* the longest path of a pin, with its NUL */
#define MAX_OWN		 16
#define MAX_INNER	 4 /* maps of generations in one program */
#define MAX_REPLACED	 2 /* maps whose size depends on the file */

/* A pinned map that the object's own replaces; see kernel_resize(). */
struct replaced {
	const char *name;
	int map; /* fd */
};

/* An inner map that a switch to what is built aside keeps, or removes. */
#define MAX_INNER_CHANGES 16
struct inner_change {
	const char *outer;
	__u32 at;
	bool is_old;
};

struct bpf_program;
struct bpf_map;
struct running;

struct kernel {
	const struct role *role;
	char directory[KERNEL_DIRECTORY];
	int lock;			       /* fd of the directory, or -1 */
	__u64 inode;			       /* its; of a reader */
	bool was_up;			       /* a generation runs */
	__u32 current;			       /* its index + 1; 0: none */
	__u64 number;			       /* its, when this was opened */
	struct bpf_object *object;	       /* loaded by this run, or NULL */
	int program;			       /* its fd, or -1 */
	struct bpf_map_info shapes[MAX_INNER]; /* of the object's inner maps */
	/* What runs, for the role's functions; NULL: the builder did not read
	 * it */
	const struct running *running;
	struct inner_change inner[MAX_INNER_CHANGES];
	int inner_count;
	struct addr addresses[MAX_OWN]; /* named as this host's */
	int address_count;
	bool at_once;	 /* --now: removed backends lose their flows */
	bool drop_flows; /* and everything else that was learned from packets */
	/* The pins of another layout whose flows are taken over, or NULL. */
	const struct kernel *before;
	__u64 copied; /* jiffies: when role->carry_over() copied last */
	struct replaced replaced[MAX_REPLACED];
	int replaced_count;
	struct attachment attachments[MAX_INTERFACES];
	int attachment_count;
	/* Interfaces of ours that are gone; `name` is `pin`. */
	struct attachment gone[MAX_INTERFACES];
	int gone_count;
	bool exclusive;	     /* no other tool has the lock */
	bool in_loop;	     /* ACCESS_TRY: for an answer, do not wait */
	bool is_quiet;	     /* see generation_is_quiet() */
	struct again *again; /* of `run`, see changes.h; else NULL */
};

/* The directory of a role's pins. */
void kernel_directory(const struct role *role, char path[KERNEL_DIRECTORY]);
/*
 * Opens the pin directory and takes its lock for a change; printed lines are
 * then buffered until the lock is released. ACCESS_CREATE makes the directory
 * if necessary, and mounts bpffs. Returns 0, or with a fault
 * -1, KERNEL_NOT_UP or KERNEL_BUSY. kernel_close() is due in every case.
 */
int kernel_open(struct kernel *kernel, const struct role *role,
		enum access access, struct fault *fault);
/*
 * For a reader, after reading: has the running state changed since it was
 * opened? Then what was read may belong to two generations: open and read
 * again.
 */
bool kernel_changed(const struct kernel *kernel);
/* The rest needs no lock. */
void kernel_unlock(struct kernel *kernel);
void kernel_close(struct kernel *kernel);

/* For how many CPUs a per-CPU map has a value: all that may ever be there. */
int kernel_cpus(void);
/* fd of a map, this run's own or the pinned one, or -1. The caller closes. */
int kernel_map(const struct kernel *kernel, const char *name);
/* The same of what is pinned, also while this run has an object of its own. */
int kernel_pinned(const struct kernel *kernel, const char *name);
/*
 * Pins under this name, over what is pinned there: never is there a moment
 * without a pin. Returns 0, or -1 with a fault.
 */
int kernel_pin_over(const struct kernel *kernel, int fd, const char *name,
		    struct fault *fault);
/* Is the name in the list, which NULL ends? */
bool kernel_names(const char *const *list, const char *name);
/* fd of the inner map at a generation's index, or -1. The caller closes. */
int kernel_inner(const struct kernel *kernel, const char *name, __u32 index);

/*
 * fd of a pinned program, or of this run's own of that name: `clock` or
 * role->lookup; or -1. The caller closes.
 */
int kernel_program(const struct kernel *kernel, const char *name);

/*
 * For role->prepare(): sets the size of a map that is about to be made. If one
 * of another size is pinned, it is kept for role->carry_over(), which gets an
 * fd by kernel_replaced(), or -1: none was. The caller closes it.
 */
int kernel_resize(struct kernel *kernel, const char *map, __u32 entries,
		  struct fault *fault);
int kernel_replaced(const struct kernel *kernel, const char *map);

/* Loads the program with the pinned maps; what runs is not changed. */
int kernel_load(struct kernel *kernel, const struct config *config,
		struct fault *fault);
/*
 * Loads another program of the object with the pinned maps, and not the role's
 * own. Packets do not meet it until it is attached.
 */
int kernel_load_beside(struct kernel *kernel, const char *program,
		       struct fault *fault);
/*
 * For another program over the maps of one that is attached (fd `program`, and
 * those that it calls): its constants, and its load. A map whose name is in
 * `own` is made anew.
 */
void kernel_constants(const struct kernel *kernel, struct constants *constants);
int kernel_load_over(const struct kernel *kernel, int program,
		     struct bpf_object *object, const char *const *own,
		     struct fault *fault);
/*
 * For a program behind XDP with an object of its own: before its load, maps are
 * shared, but for its `own`, which are reused if they are pinned, and those of
 * each load, in `fresh`; after it, its own are pinned. 0, or not.
 */
int kernel_share_maps(const struct kernel *kernel, struct bpf_object *object,
		      const char *const *own, const char *const *fresh);
int kernel_pin_maps(const struct kernel *kernel, struct bpf_object *object,
		    const char *const *own);
/*
 * Before the load of an object with the role's programs: sets what the kernel
 * demands of them. `program`: the one that packets meet first.
 */
void kernel_apart_prepare(const struct role *role, struct bpf_object *object,
			  struct bpf_program *program,
			  const struct constants *constants);
/* ... or keeps the others from being loaded. */
void kernel_apart_leave(const struct role *role, struct bpf_object *object);
/* After it: the map `programs`. 0, or -1 with a fault. */
int kernel_apart_fill(const struct role *role, struct bpf_object *object,
		      const struct constants *constants, struct fault *fault);
/*
 * lookup.c: the same of role->lookup, before the load; and whether the kernel
 * has maps of sockets.
 */
void kernel_lookup_prepare(const struct role *role, struct bpf_object *object,
			   const struct constants *constants);
bool kernel_can_keep_sockets(void);
/*
 * Attaches role->lookup to this network namespace, by a pinned link, or gives
 * the link that is there this run's program. *is_new: there was none. Returns
 * 0, or -1 with a fault.
 */
int kernel_lookup_attach(struct kernel *kernel, bool *is_new,
			 struct fault *fault);
bool kernel_lookup_attached(const struct kernel *kernel);
/* False: it was not attached. */
bool kernel_lookup_detach(const struct kernel *kernel);

/* What a map of an object is pinned as; NULL: it is the object's own. */
const char *kernel_map_name(const struct bpf_map *map);
/* The map of the object that is pinned so; NULL: there is none. */
struct bpf_map *kernel_object_map(const struct kernel *kernel,
				  const char *name);
/*
 * Pins what this load has made; without `replace`, only names that have no pin.
 */
int kernel_pin(struct kernel *kernel, bool replace, struct fault *fault);
/* Can this kernel write trace lines (5.16)? */
bool kernel_can_trace(void);
/* ... take jumbo frames in native mode (5.18)? */
bool kernel_can_frags(void);
/* ... run the programs of role->apart (5.18)? */
bool kernel_can_apart(void);
/* ... exchange 64 bits of a map at once, if they are as expected (5.12)? */
bool kernel_can_exchange(void);
/*
 * Does a veth with GRO take what a native XDP program redirects to it (5.13)?
 * Before, only one with a native program does.
 */
bool kernel_can_veth_gro(void);

/*
 * Opens every pinned link as an attachment, unless this was done. An interface
 * is identified by its index: if its name has changed, pins and notes are
 * renamed, and a line on stdout says so (only with the exclusive lock). Returns
 * 0, or -1 with a fault.
 */
int kernel_attachments(struct kernel *kernel, struct fault *fault);
/*
 * -1 with a fault if one of our interfaces is gone, or if there is none. Else
 * 0.
 */
int kernel_attached(const struct kernel *kernel, struct fault *fault);
/*
 * Chooses the mode for `name`, and checks that nobody else is attached there.
 */
int kernel_choose(struct kernel *kernel, const char *name, enum mode wanted,
		  struct fault *fault);
/*
 * The same for interfaces of ours that were gone and have been made again, with
 * the mode that each had. Returns their number, or -1 with a fault.
 */
int kernel_choose_again(struct kernel *kernel, enum mode wanted,
			struct fault *fault);
/*
 * Attaches all attachments or none: on a failure, what was attached before is
 * attached as before.
 */
int kernel_attach(struct kernel *kernel, struct fault *fault);
/*
 * Attaches only the new ones, to the running program, without a load. 0 or -1.
 */
int kernel_attach_new(struct kernel *kernel, struct fault *fault);
/* Undoes kernel_attach(). */
void kernel_attach_undo(struct kernel *kernel);
/* Detaches from one interface. False: it was not attached there. */
bool kernel_detach_from(struct kernel *kernel, const char *name);
/* Detaches from all, and removes their pins. */
void kernel_detach(struct kernel *kernel);
/*
 * Forgets what a killed `up` has begun, but for its notes of what was changed
 * on the host. Returns 0, or -1 with a fault.
 */
int kernel_begin_anew(struct kernel *kernel, struct fault *fault);
/* Removes every pin and the directory. Returns 0, or -1 with a fault. */
int kernel_remove(struct kernel *kernel, struct fault *fault);

/* Path of a pin in the directory. */
void kernel_path(const struct kernel *kernel, const char *prefix,
		 const char *name, char *path, size_t size);

/* A word of `control`; 0: there is none. */
__u32 control_get(const struct kernel *kernel, enum control word);
/* The others stay as they are, whoever writes them. 0, or -1 with errno. */
int control_set(const struct kernel *kernel, enum control word, __u32 value);

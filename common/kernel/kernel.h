/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * kernel.h - the door to the kernel: pins, maps, programs, links
 *
 * The kernel holds the state. Under /sys/fs/bpf/l3dsr/NAME-LAYOUT/ lie the
 * pinned maps and one pinned bpf_link for each interface. Whoever changes them
 * holds the directory's lock, so two tools never do at once; whoever reads them
 * holds nothing, waits for nobody, and sees afterwards whether they changed.
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
	ACCESS_CREATE,	  /* alone, and it need not be there yet */
	ACCESS_TAKE_OVER, /* ... also from another layout's */
};

/* kernel_open(): nothing is there; the fault says so. */
#define KERNEL_NOT_UP 1
/* ... with ACCESS_TRY: another process changes it; the fault says which. */
#define KERNEL_BUSY 2
/* How often a reader reads again what changed while it read. */
#define KERNEL_READS 5

enum mode {
	MODE_AUTO,
	MODE_NATIVE,
	MODE_GENERIC,
};

/* One interface in the course of an `up`, so that it can be taken back. */
struct attachment {
	char name[IF_NAMESIZE]; /* as it is called now */
	char pin[IF_NAMESIZE];	/* ... and was when its link was pinned */
	int ifindex;		/* 0: the interface is gone */
	enum mode mode;		/* MODE_AUTO: native, if the driver takes it */
	char why[160];		/* the mode was chosen so */
	int link;		/* fd */
	__u32 id;		/* of the program that was attached */
	int old_program;	/* fd; -1: the link is new */
	enum mode old_mode;	/* other than mode: it must be made anew */
	bool is_before;		/* pinned by the predecessor, see there */
};

#define KERNEL_DIRECTORY 128 /* the longest path of one, and the end */
#define MAX_OWN		 16
#define MAX_INNER	 4 /* maps of generations in one program */

struct kernel {
	const struct role *role;
	char directory[KERNEL_DIRECTORY];
	int lock;			       /* fd of the directory, or -1 */
	__u64 inode;			       /* its; of a reader */
	bool was_up;			       /* a generation runs */
	__u32 current;			       /* its slot and 1; 0: none */
	__u64 number;			       /* its, when this was opened */
	__u32 built;			       /* slot and 1 of one aside */
	struct bpf_object *object;	       /* loaded by this run, or NULL */
	int program;			       /* its fd, or -1 */
	struct bpf_map_info shapes[MAX_INNER]; /* of the object's inner maps */
	struct addr addresses[MAX_OWN];	       /* named as this host's */
	int address_count;
	bool cut;	 /* backends that leave the file lose their flows */
	bool drop_flows; /* and all else that was learned from packets */
	/* fds of a flow table that the object's one replaces, or -1 */
	int old_flows, old_flow_keys;
	struct attachment attachments[MAX_INTERFACES];
	int attachment_count;
	/* Interfaces of ours that are no longer there; `name` is `pin`. */
	struct attachment gone[MAX_INTERFACES];
	int gone_count;
	bool exclusive;	     /* no other tool has the lock */
	bool in_loop;	     /* ACCESS_TRY: for an answer, do not wait */
	struct again *again; /* of `run`, see changes.h; else NULL */
};

/* Where a role's pins are. */
void kernel_directory(const struct role *role, char path[KERNEL_DIRECTORY]);
/*
 * Opens the pin directory, and takes its lock if it is to be changed; then what
 * is printed is kept until the lock is given back. ACCESS_CREATE makes the
 * directory where it is not there, and mounts bpffs. Returns 0, or with a fault
 * -1, KERNEL_NOT_UP or KERNEL_BUSY. kernel_close() is due in every case.
 */
int kernel_open(struct kernel *kernel, const struct role *role,
		enum access access, struct fault *fault);
/*
 * For a reader, when it has read: has what runs become another since it was
 * opened? Then what was read may be of two generations: open and read again.
 */
bool kernel_changed(const struct kernel *kernel);
/* What comes after needs no lock. */
void kernel_unlock(struct kernel *kernel);
void kernel_close(struct kernel *kernel);

/* For how many CPUs a per-CPU map has a value: all that may ever be there. */
int kernel_cpus(void);
/* fd of a map, this run's own or the pinned one, or -1. The caller closes. */
int kernel_map(const struct kernel *kernel, const char *name);
/* fd of the inner map of a generation slot, or -1. The caller closes. */
int kernel_inner(const struct kernel *kernel, const char *name, __u32 slot);

/* The shape that the inner maps of an outer one must have. 0 or -1. */
int kernel_shape(const struct kernel *kernel, const char *name,
		 struct bpf_map_info *shape);
/* fd of the program `clock`, or -1. The caller closes. */
int kernel_clock(const struct kernel *kernel);

/*
 * For role->prepare(): the size of a map that is about to be made. Where one
 * of another size is pinned, *old is its fd, for the caller to close.
 */
int kernel_resize(struct kernel *kernel, const char *map, __u32 entries,
		  int *old, struct fault *fault);

/* Loads the program with the pinned maps; nothing that runs is changed. */
int kernel_load(struct kernel *kernel, const struct config *config,
		struct fault *fault);
/*
 * Loads another program of the object, and not the role's own, with the maps
 * that are pinned. Packets do not meet it until it is attached.
 */
int kernel_load_beside(struct kernel *kernel, const char *program,
		       struct fault *fault);
/*
 * For another program over the maps of the one that is attached: what it is to
 * be told, and its load. A map whose name is in `own` is made anew.
 */
void kernel_constants(const struct kernel *kernel, struct constants *constants);
int kernel_load_over(const struct kernel *kernel, struct bpf_object *object,
		     const char *const *own, struct fault *fault);
/*
 * Pins what this load has made; without `replace`, only where no pin is of
 * that name.
 */
int kernel_pin(struct kernel *kernel, bool replace, struct fault *fault);
/* Can this kernel write trace lines (5.16)? */
bool kernel_can_trace(void);
/* ... take jumbo frames in native mode (5.18)? */
bool kernel_can_frags(void);

/*
 * Opens every pinned link as an attachment, if that was not done yet. An
 * interface is known by its index: where its name has changed, pins and notes
 * follow it, and a line on stdout says so (only with the exclusive lock).
 * Returns 0, or -1 with a fault.
 */
int kernel_attachments(struct kernel *kernel, struct fault *fault);
/* Is one of ours gone, or is there none? -1 with a fault, else 0. */
int kernel_attached(const struct kernel *kernel, struct fault *fault);
/* Chooses the mode for `name` and sees that nobody else is attached there. */
int kernel_choose(struct kernel *kernel, const char *name, enum mode wanted,
		  struct fault *fault);
/*
 * The same for interfaces of ours that were gone and have been made again, with
 * the mode that each had. Their number, or -1 with a fault.
 */
int kernel_choose_again(struct kernel *kernel, enum mode wanted,
			struct fault *fault);
/* Attaches all attachments, or none: those that were are as before. */
int kernel_attach(struct kernel *kernel, struct fault *fault);
/* Only those that are new, to the program that runs, with no load. 0 or -1. */
int kernel_attach_new(struct kernel *kernel, struct fault *fault);
/* Once more as they were before kernel_attach(). */
void kernel_attach_undo(struct kernel *kernel);
/* Detaches from one interface. False: it is not attached there. */
bool kernel_detach_from(struct kernel *kernel, const char *name);
/* Detaches all, and forgets the pins. */
void kernel_detach(struct kernel *kernel);
/* Removes every pin and the directory. Returns 0, or -1 with a fault. */
int kernel_remove(struct kernel *kernel, struct fault *fault);

/* Path of a pin in the directory. */
void kernel_path(const struct kernel *kernel, const char *prefix,
		 const char *name, char *path, size_t size);

/* The word `key` of the `control` map. */
__u32 control_get(const struct kernel *kernel, enum control key);
int control_set(const struct kernel *kernel, enum control key, __u32 value);

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * fault.h - carry the cause of a failure to the verb that prints it
 *
 * A function that can fail for a reason that the user should know fills in a
 * struct fault and returns -1. Only the verb prints it.
 */
#pragma once

struct fault {
	char cause[512]; /* "cannot VERB OBJECT: CAUSE" */
	char hint[512];	 /* the command that helps; may be empty */
};

/* Both return -1, so that a caller can `return fault(...)`. */
int fault(struct fault *fault, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
int fault_hint(struct fault *fault, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/*
 * What is wise and not necessary, where it is found; the action goes on. It is
 * given to whoever prints warnings; NULL, as at the start: nobody.
 */
void fault_warn(const struct fault *fault);
void fault_warnings_to(void (*print)(const struct fault *fault));

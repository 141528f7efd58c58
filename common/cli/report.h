/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * report.h - the parts of `show` that both tools have
 */
#pragma once

#include <jansson.h>

#include "common/kernel/kernel.h"

/*
 * A report: its head and the sections of a summary, or only the section `only`.
 * NULL with a fault.
 */
json_t *report_sections(const struct kernel *kernel, const char *only,
			struct fault *fault);
/* The rows of a section: every reason of the program, summed over the CPUs. */
json_t *report_reasons(const struct kernel *kernel, struct fault *fault);
/* Adds one, what it means and its action. */
void report_reason(__u32 reason, json_t *root);
/* The rows of a section: where the program is attached, and how. */
json_t *report_interfaces(const struct kernel *kernel, struct fault *fault);
/* Adds generation, file digest and trace to the head of a report. */
void report_head(const struct kernel *kernel, json_t *root);

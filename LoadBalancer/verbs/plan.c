// SPDX-License-Identifier: GPL-2.0-only
/*
 * plan.c - which files lead from what runs to a file, one after the other
 */
#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "LoadBalancer/generation/file.h"
#include "LoadBalancer/verbs/verbs.h"
#include "common/base/address.h"
#include "common/base/json.h"
#include "common/base/printing.h"
#include "common/cli/cli.h"
#include "common/cli/output.h"
#include "common/config/plan.h"
#include "common/config/write.h"
#include "common/kernel/generation.h"

/* Of a longer plan, only the first steps are told. */
#define MOST_STEPS 64

static bool has_backend(const struct config *config, const struct addr *address)
{
	size_t s, b;

	for (s = 0; s < config->service_count; s++) {
		for (b = 0; b < config->services[s].backend_count; b++) {
			if (!memcmp(&config->services[s].backends[b].address,
				    address, sizeof(*address)))
				return true;
		}
	}
	return false;
}

/* The addresses of backends that only the first file has. */
static json_t *only_in(const struct config *config, const struct config *other)
{
	json_t *list = json_array();
	const char *text;
	json_t *address;
	size_t s, b, i;

	for (s = 0; s < config->service_count; s++) {
		const struct config_service *service = &config->services[s];

		for (b = 0; b < service->backend_count; b++) {
			if (has_backend(other, &service->backends[b].address))
				continue;
			address = json_addr(&service->backends[b].address);
			text = json_string_value(address);
			for (i = 0; i < json_array_size(list); i++) {
				if (!strcmp(text,
					    json_string_value(
						    json_array_get(list, i))))
					break;
			}
			if (i == json_array_size(list))
				json_array_append(list, address);
			json_decref(address);
		}
	}
	return list;
}

/* The lines of plan_changes(), or NULL without memory. */
static json_t *changes_of(const struct config *old, const struct config *new)
{
	char *text = NULL, *line, *rest;
	json_t *list = json_array();
	size_t size;
	FILE *out = open_memstream(&text, &size);
	int rc = out ? plan_changes(old, new, out) : -1;

	if (out && fclose(out))
		rc = -1;
	for (line = rc ? NULL : strtok_r(text, "\n", &rest); line;
	     line = strtok_r(NULL, "\n", &rest))
		json_array_append_new(list, json_string(line));
	free(text);
	if (!rc)
		return list;
	json_decref(list);
	return NULL;
}

static const char *wait_name(enum plan_wait wait)
{
	return wait == WAIT_MOVED    ? "moved-flows"
	       : wait == WAIT_UNUSED ? "unused"
				     : "none";
}

static json_t *step_report(size_t number, const struct config *old,
			   const struct plan_step *step)
{
	bool waits = step->wait != WAIT_NONE;

	return json_pack(
		"{s:I, s:s, s:o, s:o, s:s, s:o, s:o, s:o, s:s}", "step",
		(json_int_t)number, "wait", wait_name(step->wait), "wait-least",
		waits ? json_real(old->handshake_grace / 1000.0) : json_null(),
		"wait-most",
		waits ? json_real(old->drain_timeout / 1000.0) : json_null(),
		"first", step->balancers_first ? "load-balancers" : "backends",
		"newcomers", only_in(&step->config, old), "leavers",
		only_in(old, &step->config), "changes",
		changes_of(old, &step->config), "file", step->file);
}

static int text_write(const char *path, const char *text)
{
	FILE *out = fopen(path, "we");
	int rc;

	if (!out)
		return -1;
	rc = fputs(text, out) == EOF || fflush(out) ? -1 : 0;
	return fclose(out) ? -1 : rc;
}

/*
 * Writes the first step's file: all of it, or what was there stays. A device or
 * a pipe is written to as it is. Returns 0, or -1 with a fault.
 */
static int file_write(const char *path, const struct plan_step *step,
		      struct fault *fault_out)
{
	char real[PATH_MAX], aside[PATH_MAX + 8];
	struct stat there;
	int rc, error;

	if (!realpath(path, real))
		snprintf(real, sizeof(real), "%s", path);
	snprintf(aside, sizeof(aside), "%s.new", real);
	if (!stat(real, &there) && !S_ISREG(there.st_mode)) {
		rc = text_write(real, step->file);
	} else {
		rc = text_write(aside, step->file) || rename(aside, real);
		error = errno;
		if (rc)
			unlink(aside);
		errno = error;
	}
	return rc ? fault(fault_out, "cannot write %s: %s", path,
			  strerror(errno))
		  : 0;
}

/* All steps, or -1 with a fault. */
static json_t *steps_of(const struct config *running,
			const struct config *wanted, const char *output,
			struct fault *fault_out)
{
	struct plan_step before = {0}, step;
	const struct config *old = running;
	json_t *list = json_array();
	size_t number = 0;
	int rc = 0;

	while (!rc && number < MOST_STEPS &&
	       (rc = plan_next(old, wanted, &step)) > 0) {
		rc = !number && output ? file_write(output, &step, fault_out)
				       : 0;
		json_array_append_new(list, step_report(++number, old, &step));
		plan_step_free(&before);
		before = step;
		old = &before.config;
	}
	plan_step_free(&before);
	if (rc >= 0 && list)
		return list;
	if (!*fault_out->cause)
		fault(fault_out, "cannot make a plan: %s", strerror(ENOMEM));
	json_decref(list);
	return NULL;
}

static void print_words(const char *before, json_t *list)
{
	size_t i;

	printf("%s", before);
	for (i = 0; i < json_array_size(list); i++)
		printf(" %s", json_string_value(json_array_get(list, i)));
	printf("\n");
}

static void print_wait(json_t *step)
{
	const char *wait = json_string_value(json_object_get(step, "wait"));
	double least = json_number_value(json_object_get(step, "wait-least"));
	double most = json_number_value(json_object_get(step, "wait-most"));

	if (!strcmp(wait, "moved-flows"))
		printf("when each backend has moved-flows 0 (bkd show "
		       "restores), looked at %g s\n   after the last load "
		       "balancer got step %lld; after %g s, flows left may "
		       "break\n",
		       least,
		       json_integer_value(json_object_get(step, "step")) - 1,
		       most);
	else if (!strcmp(wait, "unused"))
		printf("when what leaves has no flows (lbr show backends); "
		       "those left\n   after %g s of draining are cut\n",
		       most);
	else
		printf("%s\n",
		       json_integer_value(json_object_get(step, "step")) == 1
			       ? "now"
			       : "when all hosts have the step before");
}

static void print_step(json_t *step)
{
	json_t *newcomers = json_object_get(step, "newcomers");
	json_t *leavers = json_object_get(step, "leavers");
	bool first = !strcmp(json_string_value(json_object_get(step, "first")),
			     "backends");
	json_t *changes = json_object_get(step, "changes");
	size_t i;

	printf("\n%lld. ", json_integer_value(json_object_get(step, "step")));
	print_wait(step);
	for (i = 0; i < json_array_size(changes); i++)
		printf("   %s\n",
		       json_string_value(json_array_get(changes, i)));
	if (json_array_size(newcomers))
		print_words("   first bkd up on", newcomers);
	printf(first ? "   bkd apply on the backends, then lbr apply on the "
		       "load balancers\n"
		     : "   lbr apply on the load balancers, then bkd apply on "
		       "the backends\n");
	if (json_array_size(leavers))
		print_words("   then, after `grace` and `drain-timeout`, bkd "
			    "down on",
			    leavers);
}

static void print_steps(const char *path, const char *output, json_t *steps)
{
	size_t i, count = json_array_size(steps);

	if (!count) {
		printf("%s: it is what runs\n", path);
		return;
	}
	printf("%s: %s%zu step%s from what runs\n", path,
	       count == MOST_STEPS ? "more than " : "", count,
	       count == 1 ? "" : "s");
	for (i = 0; i < count; i++)
		print_step(json_array_get(steps, i));
	if (output)
		printf("\nThe file of step 1 is %s. Plan again after it.\n",
		       output);
}

/* The file that runs, without what was set by hand. */
static int running_file(const struct role *role, struct config *running,
			struct fault *fault_out)
{
	struct kernel kernel;
	int rc, left = KERNEL_READS;
	bool changed;

	do {
		rc = kernel_open(&kernel, role, ACCESS_READ, fault_out)
			     ?: file_running(&kernel, running, NULL, fault_out);
		changed = kernel_changed(&kernel) && left--;
		kernel_close(&kernel);
		if (changed && !rc)
			config_free(running);
	} while (changed);
	return rc;
}

int verb_plan(const struct role *role, const struct options *options)
{
	const char *path = options->argument ?: DEFAULT_CONFIG;
	struct fault fault_is = {0};
	struct config running, wanted;
	json_t *steps = NULL;
	size_t count;

	if (config_read(path, &wanted, fault_is.cause, sizeof(fault_is.cause),
			stderr)) {
		fault_hint(&fault_is, "%s check %s", role->name, path);
		return cli_failed(role, &fault_is);
	}
	if (!running_file(role, &running, &fault_is)) {
		steps = steps_of(&running, &wanted, options->output, &fault_is);
		config_free(&running);
	}
	config_free(&wanted);
	if (!steps)
		return cli_failed(role, &fault_is);
	count = json_array_size(steps);
	if (options->json) {
		output_print(
			json_with_schema(json_pack("{s:o}", "steps", steps)),
			true);
	} else {
		print_steps(path, options->output, steps);
		json_decref(steps);
	}
	return count ? EXIT_STEPS : EXIT_DONE;
}

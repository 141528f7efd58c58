// SPDX-License-Identifier: GPL-2.0-only
#include "common/doctor/doctor.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/cli/cli.h"
#include "common/cli/output.h"
#include "common/core/address.h"
#include "common/doctor/drops.h"
#include "common/host/change.h"
#include "common/net/routes.h"

/* Lines of one examination; a file may have many backends. */
#define MOST_SAID 8

static const char *const healths[] = {
	[HEALTH_OK] = "ok",
	[HEALTH_WARN] = "warn",
	[HEALTH_FAIL] = "fail",
	[HEALTH_UNKNOWN] = "unknown",
};

void report(struct doctor *doctor, enum health health, const char *format, ...)
{
	va_list arguments;
	char text[512];

	doctor->counts[health]++;
	if (doctor->said++ >= MOST_SAID) {
		doctor->left_out++;
		return;
	}
	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	json_array_append_new(doctor->rows,
			      json_pack("{s:s, s:s, s:s, s:n}", "result",
					healths[health], "examination",
					doctor->examination->name, "report",
					text, "try"));
}

void mend(struct doctor *doctor, const char *format, ...)
{
	va_list arguments;
	char text[1024];
	json_t *last;

	if (doctor->left_out)
		return;
	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	last = json_array_get(doctor->rows, json_array_size(doctor->rows) - 1);
	json_object_set_new(last, "try", json_string(text));
}

const struct link *doctor_link(const struct doctor *doctor, const char *name)
{
	int i;

	for (i = 0; i < doctor->link_count; i++) {
		if (!strcmp(doctor->links[i].name, name))
			return &doctor->links[i];
	}
	return NULL;
}

bool doctor_serves(const struct doctor *doctor, bool ipv6)
{
	size_t i;

	for (i = 0; i < doctor->config.service_count; i++) {
		if (addr_is_v4(&doctor->config.services[i].vip) != ipv6)
			return true;
	}
	return false;
}

int sysctl_number(const char *format, ...)
{
	va_list arguments;
	char path[128], value[16];

	va_start(arguments, format);
	vsnprintf(path, sizeof(path), format, arguments);
	va_end(arguments);
	return sysctl_read(path, value, sizeof(value)) ? -1 : atoi(value);
}

/* The name of an existing link; NULL: none. */
static const char *link_name(const struct doctor *doctor, int ifindex)
{
	int i;

	for (i = 0; i < doctor->link_count; i++) {
		if (doctor->links[i].ifindex == ifindex)
			return doctor->links[i].name;
	}
	return NULL;
}

/*
 * Where the program would be attached: on a backend, the interface with an
 * address of the file; on a load balancer, the interface of the route to a
 * backend.
 */
static const char *likely_interface(const struct doctor *doctor)
{
	const struct config_service *at = doctor->config.services;
	struct link_address *rows = NULL;
	struct fault ignored;
	struct next_hop hop;
	const char *name = NULL;
	int i, count = addresses_read(&rows, &ignored);
	size_t s, b;

	for (s = 0; s < doctor->config.service_count && !name; s++, at++) {
		for (b = 0; b < at->backend_count && !name; b++) {
			for (i = 0; i < count && !name; i++) {
				if (!memcmp(&rows[i].address,
					    &at->backends[b].address,
					    sizeof(struct addr)))
					name = link_name(doctor,
							 rows[i].ifindex);
			}
			if (!name && !route_read(&at->backends[b].address, &hop,
						 &ignored))
				name = link_name(doctor, hop.ifindex);
		}
	}
	free(rows);
	return name ?: DEFAULT_INTERFACE;
}

/* What can be looked at. Returns 0, or -1 with a fault if there is nothing. */
static int doctor_open(struct doctor *doctor, const struct role *role,
		       const struct options *options, struct fault *fault_out)
{
	struct kernel *kernel = &doctor->kernel;
	int i, rc = kernel_open(kernel, role, ACCESS_READ, fault_out);

	if (rc < 0)
		return -1;
	doctor->path = options->config ?: DEFAULT_CONFIG;
	doctor->has_file =
		!config_read(doctor->path, &doctor->config, doctor->refused,
			     sizeof(doctor->refused), NULL);
	doctor->link_count = links_read(&doctor->links, fault_out);
	if (doctor->link_count < 0)
		return -1;
	if (!rc)
		rc = kernel_attachments(kernel, &doctor->attached);
	doctor->is_up = !rc && kernel->was_up && kernel->attachment_count;
	for (i = 0; i < kernel->attachment_count; i++)
		doctor->names[i] = kernel->attachments[i].name;
	if (!i)
		doctor->names[0] = likely_interface(doctor);
	doctor->rows = json_array();
	drops_begin(doctor);
	return 0;
}

static void doctor_close(struct doctor *doctor)
{
	kernel_close(&doctor->kernel);
	free(doctor->links);
	if (doctor->has_file)
		config_free(&doctor->config);
}

/* Added to the last line of an examination that found more than anybody would
 * read. */
static void say_more(struct doctor *doctor)
{
	json_t *last =
		json_array_get(doctor->rows, json_array_size(doctor->rows) - 1);
	const char *text = json_string_value(json_object_get(last, "report"));

	json_object_set_new(
		last, "report",
		json_sprintf("%s (and %d more)", text, doctor->left_out));
}

/* Reads again what the examinations look at. Returns 0 or -1. */
static int doctor_again(struct doctor *doctor)
{
	const struct role *role = doctor->kernel.role;
	struct kernel *kernel = &doctor->kernel;
	struct fault ignored;
	struct link *links;
	int i, rc, count = links_read(&links, &ignored);

	if (count >= 0) {
		free(doctor->links);
		doctor->links = links;
		doctor->link_count = count;
	}
	kernel_close(kernel);
	rc = kernel_open(kernel, role, ACCESS_READ, &doctor->attached)
		     ?: kernel_attachments(kernel, &doctor->attached);
	doctor->is_up = !rc && kernel->was_up && kernel->attachment_count;
	for (i = 0; i < kernel->attachment_count; i++)
		doctor->names[i] = kernel->attachments[i].name;
	if (!i)
		doctor->names[i++] = likely_interface(doctor);
	doctor->names[i] = NULL;
	return rc;
}

/*
 * Makes one examination, and makes it again if what it looked at has changed
 * meanwhile.
 */
static void examination_make(struct doctor *doctor,
			     const struct examination *examination)
{
	size_t rows = json_array_size(doctor->rows);
	int counts[HEALTHS], left = KERNEL_READS;

	memcpy(counts, doctor->counts, sizeof(counts));
	doctor->examination = examination;
	for (;;) {
		doctor->said = doctor->left_out = 0;
		examination->look(doctor);
		if (!kernel_changed(&doctor->kernel) || !left-- ||
		    doctor_again(doctor))
			break;
		while (json_array_size(doctor->rows) > rows)
			json_array_remove(doctor->rows, rows);
		memcpy(doctor->counts, counts, sizeof(counts));
	}
	if (doctor->left_out)
		say_more(doctor);
}

/*
 * The number of examinations that have to wait until there is something to look
 * at.
 */
static int doctor_look(struct doctor *doctor)
{
	const struct examination *examination =
		doctor->kernel.role->examinations;
	int left = 0;

	for (; examination->name; examination++) {
		enum needs there = (doctor->is_up ? NEEDS_UP : 0) |
				   (doctor->has_file ? NEEDS_FILE : 0);

		if (examination->needs & ~there) {
			left++;
			continue;
		}
		examination_make(doctor, examination);
	}
	return left;
}

static json_t *doctor_root(const struct doctor *doctor, int left)
{
	json_t *root = json_pack("{s:o}", "examinations", doctor->rows);
	int i;

	for (i = 0; i < HEALTHS; i++)
		json_object_set_new(root, healths[i],
				    json_integer(doctor->counts[i]));
	json_object_set_new(root, "skipped", json_integer(left));
	return root;
}

void doctor_print_examinations(const struct role *role)
{
	const struct examination *examination;

	printf("\nThe examinations, in their order, and what each finds if all "
	       "is well:\n\n");
	for (examination = role->examinations; examination->name; examination++)
		printf("| `%s` | %s |\n", examination->name, examination->help);
}

int verb_doctor(const struct role *role, const struct options *options)
{
	struct doctor *doctor = calloc(1, sizeof(*doctor));
	struct fault fault_is = {0};
	int rc = EXIT_FAILED;

	if (!doctor)
		return EXIT_FAILED;
	if (doctor_open(doctor, role, options, &fault_is)) {
		cli_failed(role, &fault_is);
	} else {
		int left = doctor_look(doctor);

		if (!output_print(doctor_root(doctor, left), options->json))
			rc = doctor->counts[HEALTH_FAIL] ? EXIT_PROBLEM
							 : EXIT_DONE;
	}
	doctor_close(doctor);
	free(doctor);
	return rc;
}

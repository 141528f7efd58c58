// SPDX-License-Identifier: GPL-2.0-only
#include "common/doctor/drops.h"

#include <bpf/bpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/base/reason.h"
#include "common/cli/report.h"

#define WINDOW 500000000LL /* nanoseconds of traffic to look at */

/* The sum over all CPUs of each reason. */
static void counters_read(const struct kernel *kernel, __u64 sums[REASON_MAX])
{
	int map = kernel_map(kernel, "reasons"), cpus, cpu;
	__u64 *each;
	__u32 i;

	memset(sums, 0, REASON_MAX * sizeof(*sums));
	cpus = kernel_cpus();
	each = calloc((size_t)(cpus > 0 ? cpus : 1), sizeof(*each));
	for (i = 0; each && map >= 0 && i < REASON_MAX; i++) {
		if (bpf_map_lookup_elem(map, &i, each))
			continue;
		for (cpu = 0; cpu < cpus; cpu++)
			sums[i] += each[cpu];
	}
	free(each);
	if (map >= 0)
		close(map);
}

/* In snmp, a line of names comes before a line of values, both with "Ip:". */
static long long no_routes_ipv4(FILE *file)
{
	char names[1024], values[1024], *name, *value, *rest[2];

	if (!fgets(names, sizeof(names), file) ||
	    !fgets(values, sizeof(values), file))
		return 0;
	name = strtok_r(names, " \n", &rest[0]);
	value = strtok_r(values, " \n", &rest[1]);
	while (name && value && strcmp(name, "OutNoRoutes")) {
		name = strtok_r(NULL, " \n", &rest[0]);
		value = strtok_r(NULL, " \n", &rest[1]);
	}
	return name && value ? atoll(value) : 0;
}

long long no_routes_read(bool ipv6)
{
	FILE *file = fopen(ipv6 ? "/proc/net/snmp6" : "/proc/net/snmp", "re");
	char line[256];
	long long count = 0;

	if (file && !ipv6)
		count = no_routes_ipv4(file);
	while (file && ipv6 && fgets(line, sizeof(line), file)) {
		if (sscanf(line, "Ip6OutNoRoutes %lld", &count) == 1)
			break;
	}
	if (file)
		fclose(file);
	return count;
}

static long long now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * 1000000000LL + time.tv_nsec;
}

void drops_begin(struct doctor *doctor)
{
	counters_read(&doctor->kernel, doctor->reasons);
	doctor->no_routes[0] = no_routes_read(false);
	doctor->no_routes[1] = no_routes_read(true);
	doctor->began = now();
}

void drops_end(const struct doctor *doctor, __u64 risen[REASON_MAX])
{
	long long left = doctor->began + WINDOW - now();
	struct timespec time = {left / 1000000000LL, left % 1000000000LL};
	__u32 i;

	while (left > 0 && nanosleep(&time, &time))
		;
	counters_read(&doctor->kernel, risen);
	for (i = 0; i < REASON_MAX; i++)
		risen[i] -= risen[i] < doctor->reasons[i] ? risen[i]
							  : doctor->reasons[i];
}

/* The command, with this host's file and interface filled in. */
static void mend_with(struct doctor *doctor, const char *command)
{
	char text[512] = "";
	size_t used = 0;
	int got;

	while (*command && used < sizeof(text) - 1) {
		if (!strncmp(command, "FILE", 4)) {
			got = snprintf(text + used, sizeof(text) - used, "%s",
				       doctor->path);
			command += 4;
		} else if (!strncmp(command, "IFACE", 5)) {
			got = snprintf(text + used, sizeof(text) - used, "%s",
				       doctor->names[0] ?: "IFACE");
			command += 5;
		} else {
			text[used] = *command++;
			text[used + 1] = '\0';
			got = 1;
		}
		used += (size_t)got;
	}
	mend(doctor, "%s", text);
}

static const struct drop_advice *advice_for(const struct drop_advice *advice,
					    enum reason reason)
{
	for (; advice->command; advice++) {
		if (advice->reason == reason)
			return advice;
	}
	return NULL;
}

void drops_tell(struct doctor *doctor, const __u64 risen[REASON_MAX], __u64 all,
		const struct drop_advice *advice)
{
	const struct drop_advice *row;
	char command[64];
	__u32 i;

	for (i = 0; i < REASON_MAX; i++) {
		row = advice_for(advice, i);
		if (!risen[i] || (!row && reason_action(i) != XDP_DROP))
			continue;
		report(doctor, row ? row->health : HEALTH_WARN,
		       "%llu of %llu packets just now: %s: %s",
		       (unsigned long long)risen[i], (unsigned long long)all,
		       reason_name(i), reason_text(i));
		if (row) {
			mend_with(doctor, row->command);
			continue;
		}
		snprintf(command, sizeof(command), "%s watch %s",
			 doctor->kernel.role->name, reason_name(i));
		mend(doctor, "%s", command);
	}
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * test_hooks.c - a program is told of states, in their order, and what hangs
 * neither blocks the loop nor stays. The code is compiled in, for a time of 1
 * s.
 */
#define HOOK_TIME 1

#include "LoadBalancer/health/hooks.c"
#include "LoadBalancer/host/hook.c"

#include <stdio.h>
#include <sys/stat.h>

#include "common/base/fault.h"
#include "tests/unit/unit.h"

static char directory[] = "/tmp/test_hooks.XXXXXX";
static char program[sizeof(directory) + 8], heard[sizeof(directory) + 8];
static struct event_base *base;
static struct hooks hooks;
static int warned;

static void warn(const struct fault *fault_is)
{
	(void)fault_is;
	warned++;
}

/* The program: its arguments go to `heard`; one for port 1 hangs. */
static int begin_all(void **state)
{
	FILE *script;

	(void)state;
	assert_non_null(mkdtemp(directory));
	snprintf(program, sizeof(program), "%s/hook", directory);
	snprintf(heard, sizeof(heard), "%s/heard", directory);
	script = fopen(program, "w");
	assert_non_null(script);
	fprintf(script,
		"#!/bin/sh\necho \"$#,$1,$2,$3,$4,$5\" >>%s\n"
		"case $1 in *:1/tcp) sleep 60 & wait ;; esac\n",
		heard);
	assert_int_equal(fclose(script), 0);
	assert_int_equal(chmod(program, 0700), 0);
	base = event_base_new();
	fault_warnings_to(warn);
	return hooks_start(&hooks, base);
}

static int end_all(void **state)
{
	(void)state;
	hooks_stop(&hooks);
	event_base_free(base);
	libevent_global_shutdown();
	unlink(program);
	unlink(heard);
	rmdir(directory);
	return 0;
}

/* Services of these ports, with a state each. */
static void follow(const char *states)
{
	size_t i, count = strlen(states);
	struct hooked *services = calloc(count + 1, sizeof(*services));

	assert_non_null(services);
	for (i = 0; i < count; i++) {
		services[i].key.vip.w[2] = V4_MAPPED;
		services[i].key.vip.w[3] = bpf_htonl(0xc0000201);
		services[i].key.port = bpf_htons((__u16)(i + 1));
		services[i].key.protocol = IPPROTO_TCP;
		hook_service(&services[i].key, services[i].wanted.service);
		services[i].wanted.state =
			states[i] == 'f' ? ANNOUNCED_FIT : ANNOUNCED_UNFIT;
		services[i].wanted.up = 2;
		services[i].wanted.total = 3;
		strcpy(services[i].wanted.why, states[i] == 'f' ? "" : "w h y");
	}
	hooks_follow(&hooks, program, services, count);
}

/* How often the program was called with this line. */
static int times(const char *line)
{
	FILE *file = fopen(heard, "r");
	char text[256];
	int count = 0;

	while (file && fgets(text, sizeof(text), file)) {
		text[strcspn(text, "\n")] = '\0';
		count += !strcmp(text, line);
	}
	if (file)
		fclose(file);
	return count;
}

static void none(evutil_socket_t fd, short what, void *data)
{
	(void)fd;
	(void)what;
	(void)data;
}

/* Runs the loop until the line was heard. */
static void wait_for(const char *line, int count)
{
	static const struct timeval tick = {0, 10 * 1000};
	struct event *event = event_new(base, -1, EV_PERSIST, none, NULL);
	int left = 3000;

	event_add(event, &tick);
	while (times(line) < count && left--)
		event_base_loop(base, EVLOOP_ONCE);
	event_free(event);
	assert_int_equal(times(line), count);
}

static void tells(void **state)
{
	(void)state;
	follow("ffu");
	wait_for("5,192.0.2.1:1/tcp,fit,2,3,", 1);
	wait_for("5,192.0.2.1:2/tcp,fit,2,3,", 1);
	wait_for("5,192.0.2.1:3/tcp,unfit,2,3,w h y", 1);
	/* The first one hangs. Only what has changed is told, and at once. */
	follow("ufu");
	follow("fuu");
	follow("uuf");
	wait_for("5,192.0.2.1:2/tcp,unfit,2,3,w h y", 1);
	wait_for("5,192.0.2.1:3/tcp,fit,2,3,", 1);
	assert_int_equal(times("5,192.0.2.1:1/tcp,unfit,2,3,w h y"), 0);
	assert_int_equal(warned, 0);
	/* It is ended, and of all that came meanwhile told the last. */
	wait_for("5,192.0.2.1:1/tcp,unfit,2,3,w h y", 1);
	assert_int_equal(warned, 1);
	assert_int_equal(times("5,192.0.2.1:1/tcp,fit,2,3,"), 1);
	assert_int_equal(times("5,192.0.2.1:3/tcp,unfit,2,3,w h y"), 1);
}

/* Neither a program that is not there nor one that fails is tried again. */
static void fails(void **state)
{
	struct hook_call call = {.service = "s", .state = ANNOUNCED_NOT};
	struct fault said;
	pid_t pid;

	(void)state;
	assert_int_equal(hook_start("/nonexistent", &call, &said), -1);
	assert_string_equal(said.cause, "cannot run /nonexistent: No such file "
					"or directory");
	pid = hook_start("/bin/false", &call, &said);
	assert_true(pid > 0);
	assert_int_equal(hook_wait(pid, "/bin/false", &said), -1);
	assert_string_equal(said.cause, "/bin/false ended with status 1");
	pid = hook_start("/bin/true", &call, &said);
	assert_int_equal(hook_wait(pid, "/bin/true", &said), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tells),
		cmocka_unit_test(fails),
	};

	return cmocka_run_group_tests(tests, begin_all, end_all);
}

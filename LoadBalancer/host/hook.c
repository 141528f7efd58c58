// SPDX-License-Identifier: GPL-2.0-only
#include "LoadBalancer/host/hook.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/config/endpoint.h"

extern char **environ; /* POSIX says: not in a header */

#define LOOK 10 /* milliseconds between two looks */

void hook_service(const struct service_key *key, char service[80])
{
	char endpoint[64];

	snprintf(service, 80, "%s/%s",
		 endpoint_text(&key->vip, key->port, endpoint),
		 protocol_name(key->protocol));
}

/* As a shell would start it: no signal is ignored, and nothing is on stdin. */
static int spawn(pid_t *pid, const char *program, char *const *arguments)
{
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attributes;
	sigset_t signals;
	int rc;

	sigfillset(&signals);
	posix_spawnattr_init(&attributes);
	posix_spawnattr_setsigdefault(&attributes, &signals);
	sigemptyset(&signals);
	posix_spawnattr_setsigmask(&attributes, &signals);
	posix_spawnattr_setpgroup(&attributes, 0);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP |
						      POSIX_SPAWN_SETSIGDEF |
						      POSIX_SPAWN_SETSIGMASK);
	posix_spawn_file_actions_init(&files);
	posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null",
					 O_RDONLY, 0);
	rc = posix_spawn(pid, program, &files, &attributes, arguments, environ);
	posix_spawn_file_actions_destroy(&files);
	posix_spawnattr_destroy(&attributes);
	return rc;
}

pid_t hook_start(const char *program, const struct hook_call *call,
		 struct fault *fault_out)
{
	char up[24], total[24];
	char *const arguments[] = {(char *)program,
				   (char *)call->service,
				   (char *)announced_name(call->state),
				   up,
				   total,
				   (char *)call->why,
				   NULL};
	pid_t pid;
	int rc;

	snprintf(up, sizeof(up), "%zu", call->up);
	snprintf(total, sizeof(total), "%zu", call->total);
	rc = spawn(&pid, program, arguments);
	return rc ? fault(fault_out, "cannot run %s: %s", program, strerror(rc))
		  : pid;
}

bool hook_has_ended(pid_t pid, const char *program, struct fault *fault_out)
{
	int status;

	*fault_out->cause = *fault_out->hint = '\0';
	if (waitpid(pid, &status, WNOHANG) != pid)
		return false;
	if (WIFSIGNALED(status))
		fault(fault_out, "%s was ended by signal %d", program,
		      WTERMSIG(status));
	else if (WEXITSTATUS(status))
		fault(fault_out, "%s ended with status %d", program,
		      WEXITSTATUS(status));
	return true;
}

void hook_end(pid_t pid)
{
	kill(-pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

int hook_wait(pid_t pid, const char *program, struct fault *fault_out)
{
	static const struct timespec pause = {0, LOOK * 1000 * 1000};
	int left = HOOK_TIME * 1000 / LOOK;

	while (!hook_has_ended(pid, program, fault_out)) {
		if (!left--) {
			hook_end(pid);
			return fault(fault_out,
				     "%s was ended: it took more than %d s",
				     program, HOOK_TIME);
		}
		nanosleep(&pause, NULL);
	}
	return *fault_out->cause ? -1 : 0;
}

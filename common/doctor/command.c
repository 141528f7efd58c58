// SPDX-License-Identifier: GPL-2.0-only
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* pipe2 */
#endif
#include "common/doctor/command.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

static void run(const char *const argv[], int out)
{
	int null;

	if (dup2(null = open("/dev/null", O_RDWR), STDIN_FILENO) >= 0 &&
	    dup2(null, STDERR_FILENO) >= 0 && dup2(out, STDOUT_FILENO) >= 0)
		execvp(argv[0], (char *const *)argv);
	_exit(127);
}

void command_begin(struct command *command, const char *const argv[])
{
	int ends[2];

	command->out = NULL;
	command->pid = -1;
	if (pipe2(ends, O_CLOEXEC))
		return;
	command->pid = fork();
	if (!command->pid)
		run(argv, ends[1]);
	close(ends[1]);
	if (command->pid > 0)
		command->out = fdopen(ends[0], "re");
	if (!command->out)
		close(ends[0]);
}

void command_end(struct command *command)
{
	if (command->out)
		fclose(command->out);
	while (command->pid > 0 && waitpid(command->pid, NULL, 0) < 0 &&
	       errno == EINTR)
		;
}

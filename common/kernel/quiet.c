// SPDX-License-Identifier: GPL-2.0-only
#include "common/kernel/quiet.h"

#include <linux/membarrier.h>
#include <signal.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

void quiet_await(void)
{
	static const struct timespec long_enough = {0, 50 * 1000 * 1000};

	/* Waits for RCU. It refuses where CPUs run without a tick. */
	if (syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0))
		nanosleep(&long_enough, NULL);
}

static void *await(void *data)
{
	struct quiet *quiet = data;

	quiet_await();
	__atomic_store_n(&quiet->is_over, true, __ATOMIC_RELEASE);
	return NULL;
}

void quiet_stop(struct quiet *quiet)
{
	if (quiet->is_asked)
		pthread_join(quiet->thread, NULL);
	quiet->is_asked = false;
}

static bool is_about(const struct quiet *quiet,
		     const struct generation *running)
{
	return quiet->number == running->number &&
	       quiet->switched == running->switched;
}

static int thread_begin(struct quiet *quiet)
{
	sigset_t every, before;
	int rc;

	/* Signals are the main thread's. */
	sigfillset(&every);
	pthread_sigmask(SIG_SETMASK, &every, &before);
	rc = pthread_create(&quiet->thread, NULL, await, quiet);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return rc;
}

bool quiet_since(struct quiet *quiet, const struct generation *running)
{
	bool is_over = __atomic_load_n(&quiet->is_over, __ATOMIC_ACQUIRE);

	if (is_over && is_about(quiet, running))
		return true;
	/* It may have begun before the last switch. */
	if (quiet->is_asked && !is_over)
		return false;
	quiet_stop(quiet);
	quiet->number = running->number;
	quiet->switched = running->switched;
	quiet->is_over = false;
	quiet->is_asked = !thread_begin(quiet);
	if (!quiet->is_asked)
		await(quiet);
	return !quiet->is_asked;
}

// SPDX-License-Identifier: GPL-2.0-only
#include "common/kernel/lock.h"

#include <errno.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/doctor/doctor.h"

#define TRIES 100 /* at 10 ms: only a very large change takes longer */

/* A change that ends by itself is not worth a report. */
void look_lock(struct doctor *doctor)
{
	static const struct timespec pause = {0, 10 * 1000 * 1000};
	const char *path = doctor->kernel.directory;
	int fd, left = TRIES;
	char text[HOLDER_TEXT];
	struct holder holder;

	while ((fd = lock_try(path)) < 0 && errno == EWOULDBLOCK && left--)
		nanosleep(&pause, NULL);
	if (fd >= 0) {
		close(fd);
		report(doctor, HEALTH_OK, "free to change what runs");
		return;
	}
	if (errno != EWOULDBLOCK) {
		report(doctor, HEALTH_UNKNOWN, "%s: %s", path, strerror(errno));
		return;
	}
	lock_holder(path, &holder);
	report(doctor, HEALTH_FAIL,
	       "%s holds %s: until then, no verdict of a health check and no "
	       "other change takes effect",
	       holder_text(&holder, text), path);
	if (holder.stopped)
		mend(doctor, "kill -CONT %d", (int)holder.pid);
	else if (holder.pid > 0)
		mend(doctor, "ps -o pid,stat,etime,args -p %d",
		     (int)holder.pid);
}

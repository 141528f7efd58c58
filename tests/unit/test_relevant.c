// SPDX-License-Identifier: GPL-2.0-only
/*
 * test_relevant.c - which carriers have come back, whatever else has to be done
 *
 * Both modules are compiled in, with stand-ins for what they would change.
 */
#include "LoadBalancer/host/relevant.c"
#include "common/core/abi_services.h"
#include "common/net/monitor.c"
#include "tests/unit/unit.h"

#define PORT  7
#define OTHER 8

static bool rose_of_port, rose_of_other;

void change_neighbours_again(struct kernel *kernel,
			     bool (*ask)(const void *data, int ifindex),
			     const void *data)
{
	(void)kernel;
	rose_of_port = ask(data, PORT);
	rose_of_other = ask(data, OTHER);
}

int change_neighbours(const struct kernel *kernel, struct route_hop *hops,
		      int most)
{
	(void)kernel;
	(void)hops;
	(void)most;
	return 0;
}

void lbr_neighbours(struct kernel *kernel, const struct config *config)
{
	(void)kernel;
	(void)config;
}

__u32 generation_current(const struct kernel *kernel)
{
	(void)kernel;
	return 0;
}

int generation_read(const struct kernel *kernel, __u32 slot,
		    struct generation *generation)
{
	(void)kernel;
	(void)slot;
	memset(generation, 0, sizeof(*generation));
	return 0;
}

int generation_write(const struct kernel *kernel, __u32 slot,
		     const struct generation *generation)
{
	(void)kernel;
	(void)slot;
	(void)generation;
	return 0;
}

bool routes_by_flow(char *why, size_t size)
{
	(void)why;
	(void)size;
	return false;
}

bool message_by_flow(const struct nlmsghdr *message)
{
	(void)message;
	return false;
}

int route_range(const struct nlmsghdr *message, struct addr *first,
		struct addr *last)
{
	(void)message;
	(void)first;
	(void)last;
	return -1;
}

int address_get(const struct nlattr *attribute, struct addr *address)
{
	(void)attribute;
	(void)address;
	return -1;
}

int fault(struct fault *fault_out, const char *format, ...)
{
	(void)fault_out;
	(void)format;
	return -1;
}

static unsigned int matters_to(void *data, const struct nlmsghdr *message,
			       enum monitor_what what)
{
	return relevant_message(data, message, what);
}

static void says(struct monitor *monitor, int ifindex, bool runs)
{
	char page[256];
	struct nlmsghdr *message = mnl_nlmsg_put_header(page);
	struct ifinfomsg *info;

	message->nlmsg_type = RTM_NEWLINK;
	info = mnl_nlmsg_put_extra_header(message, sizeof(*info));
	info->ifi_index = ifindex;
	info->ifi_flags = runs ? LOWER_UP : 0;
	message_read(message, monitor);
}

/* As upkeep does with the changes that the monitor has gathered. */
static void looks(struct monitor *monitor)
{
	struct fault ignored;

	rose_of_port = rose_of_other = false;
	relevant_look(monitor->data, NULL, NULL, monitor->what, &ignored);
	monitor->what = 0;
}

/* Both interfaces have a carrier, and everything was looked at. */
static void settle(struct monitor *monitor, struct relevant *relevant)
{
	memset(relevant, 0, sizeof(*relevant));
	*monitor = (struct monitor){.matters = matters_to, .data = relevant};
	says(monitor, PORT, true);
	says(monitor, OTHER, true);
	looks(monitor);
}

static void a_carrier_is_back(void **unused)
{
	struct monitor monitor;
	struct relevant relevant;

	(void)unused;
	settle(&monitor, &relevant);
	says(&monitor, PORT, false);
	looks(&monitor);
	assert_false(rose_of_port);
	says(&monitor, PORT, true);
	assert_true(monitor.what & MONITOR_NEIGHBOUR);
	looks(&monitor);
	assert_true(rose_of_port);
	assert_false(rose_of_other);
	/* the same state again: no carrier has come back */
	says(&monitor, PORT, true);
	looks(&monitor);
	assert_false(rose_of_port);
}

/* Another process has the lock: everything has to be looked at, but not yet. */
static void a_fall_while_all_is_due(void **unused)
{
	struct monitor monitor;
	struct relevant relevant;

	(void)unused;
	settle(&monitor, &relevant);
	monitor.what = MONITOR_ALL;
	says(&monitor, PORT, false);
	looks(&monitor);
	says(&monitor, PORT, true);
	assert_true(monitor.what & MONITOR_NEIGHBOUR);
	looks(&monitor);
	assert_true(rose_of_port);
	settle(&monitor, &relevant);
	monitor.what = MONITOR_ALL;
	says(&monitor, PORT, false);
	says(&monitor, PORT, true);
	looks(&monitor);
	assert_true(rose_of_port);
}

/* The message about the loss was lost, or the one about the return, or both. */
static void what_is_lost(void **unused)
{
	struct monitor monitor;
	struct relevant relevant;

	(void)unused;
	settle(&monitor, &relevant);
	monitor.what = MONITOR_ALL; /* as drain() leaves it after ENOBUFS */
	looks(&monitor);
	assert_true(rose_of_port);
	says(&monitor, PORT, true);
	looks(&monitor);
	assert_true(rose_of_port);
	assert_false(rose_of_other);
	says(&monitor, PORT, true);
	looks(&monitor);
	assert_false(rose_of_port);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_carrier_is_back),
		cmocka_unit_test(a_fall_while_all_is_due),
		cmocka_unit_test(what_is_lost),
	};

	return RUN("relevant", tests);
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * server - worker threads, each of which sleeps as long as a request says
 *
 *	server [NAME [THREADS [KEY]]]
 *
 * A thread takes a request, sleeps, answers the client, and tells the load
 * balancer that it is done; with the KEY "-" it does not. It prints each
 * request, and then the time that all threads have slept so far.
 */
#include <arpa/inet.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/core/abi_workers.h"
#include "topology/workers/request.h"

static const char *name = "server", *key = "";
static int requests, messages; /* sockets */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static long slept; /* ms, by all threads */

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

static int udp_socket(const char *address, int port, int is_own)
{
	struct sockaddr_in end = {.sin_family = AF_INET,
				  .sin_port = htons((uint16_t)port)};
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	inet_pton(AF_INET, address, &end.sin_addr);
	if (fd < 0 || (is_own ? bind(fd, (void *)&end, sizeof(end))
			      : connect(fd, (void *)&end, sizeof(end))))
		fail(address);
	return fd;
}

/*
 * The message becomes the next request in the queue, so it is as long as the
 * longest.
 */
static void say_done(const struct sockaddr_in *client)
{
	char message[sizeof(struct done) + REQUEST] = "";
	struct done done = {.magic = htonl(DONE_MAGIC),
			    .port = client->sin_port};

	memcpy(done.key, key, strnlen(key, sizeof(done.key)));
	done.client.w[2] = htonl(0xffff);
	done.client.w[3] = client->sin_addr.s_addr;
	memcpy(message, &done, sizeof(done));
	if (send(messages, message, sizeof(message), 0) < 0)
		perror("done");
}

static void print(int thread, int is_done, long number, long ms)
{
	pthread_mutex_lock(&lock);
	if (!is_done)
		printf("%s thread %d: request %ld: sleeps %ld ms\n", name,
		       thread, number, ms);
	else
		printf("%s thread %d: request %ld: done; slept %ld ms in all\n",
		       name, thread, number, slept += ms);
	fflush(stdout);
	pthread_mutex_unlock(&lock);
}

static void *work(void *argument)
{
	int thread = (int)(long)argument;
	struct sockaddr_in client;
	char text[2 * REQUEST];
	long number, ms;

	for (;;) {
		socklen_t size = sizeof(client);
		ssize_t got = recvfrom(requests, text, REQUEST, 0,
				       (void *)&client, &size);

		if (got < 0)
			fail("recvfrom");
		text[got] = '\0';
		if (sscanf(text, "%ld %ld", &number, &ms) != 2)
			continue;
		print(thread, 0, number, ms);
		usleep((useconds_t)ms * 1000);
		print(thread, 1, number, ms);
		got = snprintf(text, sizeof(text), "%ld %ld %s", number, ms,
			       name);
		sendto(requests, text, (size_t)got, 0, (void *)&client, size);
		if (strcmp(key, "-") != 0)
			say_done(&client);
	}
	return NULL;
}

int main(int argc, char **argv)
{
	long i, threads = argc > 2 ? atol(argv[2]) : 5;
	pthread_t thread;

	if (argc > 1)
		name = argv[1];
	if (argc > 3)
		key = argv[3];
	requests = udp_socket(VIP, PORT, 1);
	messages = udp_socket(LB, RELEASE_PORT, 0);
	for (i = 1; i <= threads; i++) {
		if (pthread_create(&thread, NULL, work, (void *)i))
			fail("pthread_create");
	}
	printf("%s: %ld threads\n", name, threads);
	fflush(stdout);
	pause();
	return 0;
}

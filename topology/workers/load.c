// SPDX-License-Identifier: GPL-2.0-only
/*
 * load - requests that come whether or not earlier ones are answered
 *
 *	load RATE COUNT exponential|bimodal MEAN SEED
 *
 * COUNT requests at random (Poisson), on average RATE a second, that take MEAN
 * milliseconds on average: exponentially distributed, or nine of ten half of
 * it, and each tenth eleven halves. The same SEED makes the same requests. Each
 * has another source port than the 4,095 before it.
 *
 * Prints, of each request that was answered, the microseconds from when it was
 * due to its answer. Exit status 1 where one is not answered within 20 s of the
 * last.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "topology/workers/request.h"

#define SOCKETS 4096

struct request {
	long long due; /* ns of CLOCK_MONOTONIC */
	long long answered;
	long ms;
};

static struct request *requests;
static long count;
static int sockets[SOCKETS], answers;

static long long now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000LL + now.tv_nsec;
}

static void die(const char *what)
{
	fprintf(stderr, "load: cannot %s: %s\n", what, strerror(errno));
	exit(2);
}

static void sockets_open(void)
{
	struct sockaddr_in to = {.sin_family = AF_INET,
				 .sin_port = htons(PORT)};
	struct rlimit files = {2 * SOCKETS, 2 * SOCKETS};
	struct epoll_event event = {.events = EPOLLIN};
	int i;

	inet_pton(AF_INET, VIP, &to.sin_addr);
	setrlimit(RLIMIT_NOFILE, &files);
	answers = epoll_create1(EPOLL_CLOEXEC);
	for (i = 0; i < SOCKETS; i++) {
		sockets[i] = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
		event.data.fd = sockets[i];
		if (sockets[i] < 0 ||
		    connect(sockets[i], (void *)&to, sizeof(to)) ||
		    epoll_ctl(answers, EPOLL_CTL_ADD, sockets[i], &event))
			die("open sockets");
	}
}

/* In milliseconds, from two numbers within (0, 1]. */
static double service(int is_bimodal, double mean, double draw)
{
	if (is_bimodal)
		return draw <= 0.1 ? mean * 5.5 : mean * 0.5;
	return -log(draw) * mean;
}

static double drawn(unsigned short *state)
{
	return 1 - erand48(state);
}

static void requests_draw(double rate, int is_bimodal, double mean, long seed)
{
	unsigned short state[3] = {(unsigned short)seed, 13, 17};
	double at = 0;
	long i;

	requests = calloc((size_t)count, sizeof(*requests));
	if (!requests)
		die("remember the requests");
	for (i = 0; i < count; i++) {
		at += -log(drawn(state)) / rate;
		requests[i].due = (long long)(at * 1e9);
		requests[i].ms =
			lround(service(is_bimodal, mean, drawn(state)));
	}
}

/* Until all are answered, or none for 20 s. */
static void *answers_read(void *unused)
{
	struct epoll_event ready[64];
	char text[2 * REQUEST];
	long seen = 0, number;
	ssize_t length;
	int i, got;

	(void)unused;
	while (seen < count &&
	       (got = epoll_wait(answers, ready, 64, 20000)) > 0) {
		for (i = 0; i < got; i++) {
			length = recv(ready[i].data.fd, text, sizeof(text) - 1,
				      0);
			if (length < 0)
				continue;
			text[length] = '\0';
			number = atol(text);
			if (number < 0 || number >= count ||
			    requests[number].answered)
				continue;
			requests[number].answered = now_ns();
			seen++;
		}
	}
	return NULL;
}

static void requests_send(void)
{
	long long begin = now_ns() + 10000000;
	struct timespec until;
	char text[REQUEST];
	long i;

	for (i = 0; i < count; i++) {
		requests[i].due += begin;
		until.tv_sec = requests[i].due / 1000000000;
		until.tv_nsec = requests[i].due % 1000000000;
		clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
		snprintf(text, sizeof(text), "%ld %ld", i, requests[i].ms);
		if (send(sockets[i % SOCKETS], text, strlen(text), 0) < 0)
			perror("load: send");
	}
}

int main(int argc, char **argv)
{
	pthread_t reader;
	long i, lost = 0;

	if (argc != 6) {
		fprintf(stderr, "usage: load RATE COUNT exponential|bimodal "
				"MEAN SEED\n");
		return 2;
	}
	count = atol(argv[2]);
	requests_draw(atof(argv[1]), *argv[3] == 'b', atof(argv[4]),
		      atol(argv[5]));
	sockets_open();
	if (pthread_create(&reader, NULL, answers_read, NULL))
		die("make a thread");
	requests_send();
	pthread_join(reader, NULL);
	for (i = 0; i < count; i++) {
		if (requests[i].answered)
			printf("%lld\n",
			       (requests[i].answered - requests[i].due) / 1000);
		else
			lost++;
	}
	if (lost)
		fprintf(stderr, "load: %ld of %ld not answered\n", lost, count);
	return lost != 0;
}

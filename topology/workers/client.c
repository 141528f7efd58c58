// SPDX-License-Identifier: GPL-2.0-only
/*
 * client - sends requests that say how long they take, and prints the answers
 *
 *	client [-t SECONDS] MILLISECONDS...
 *
 * All at once, a datagram each. Exit status 1 if one is not answered in time.
 */
#include <arpa/inet.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "topology/workers/request.h"

static long now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int open_socket(void)
{
	struct sockaddr_in to = {.sin_family = AF_INET,
				 .sin_port = htons(PORT)};
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	inet_pton(AF_INET, VIP, &to.sin_addr);
	if (fd < 0 || connect(fd, (void *)&to, sizeof(to))) {
		perror(VIP);
		exit(1);
	}
	return fd;
}

/* Prints answers until all have come, or `until`. Returns how many have. */
static int answers(int fd, int wanted, long begin, long until)
{
	struct pollfd ready = {.fd = fd, .events = POLLIN};
	char text[2 * REQUEST];
	int seen = 0;
	ssize_t got;

	while (seen < wanted && until > now_ms() &&
	       poll(&ready, 1, (int)(until - now_ms())) > 0) {
		got = recv(fd, text, sizeof(text) - 1, 0);
		if (got < 0)
			continue;
		text[got] = '\0';
		printf("after %ld ms: %s\n", now_ms() - begin, text);
		fflush(stdout);
		seen++;
	}
	return seen;
}

int main(int argc, char **argv)
{
	long begin, seconds = 30;
	char text[REQUEST];
	int fd, i, seen, count, option;

	while ((option = getopt(argc, argv, "t:")) == 't')
		seconds = atol(optarg);
	count = argc - optind;
	if (option != -1 || count < 1) {
		fprintf(stderr, "usage: client [-t SECONDS] MILLISECONDS...\n");
		return 2;
	}
	fd = open_socket();
	begin = now_ms();
	for (i = 0; i < count; i++) {
		snprintf(text, sizeof(text), "%d %ld", i + 1,
			 atol(argv[optind + i]));
		printf("request %s ms\n", text);
		if (send(fd, text, strlen(text), 0) < 0)
			perror("send");
	}
	seen = answers(fd, count, begin, begin + seconds * 1000);
	printf("%d of %d answered\n", seen, count);
	return seen != count;
}

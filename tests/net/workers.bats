#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# scheduler: workers, with servers whose threads really sleep. The oracle are the
# servers' own lines and the client's.

bats_require_minimum_version 1.5.0
load lib
load run
load status

# shellcheck disable=SC2034 # for lib.bash
LB=lb
SERVERS=(server1 server2 server3)

setup_file() {
	network workers
	make -s -C "$ROOT/topology/workers"
}

teardown_file() {
	network_down
}

setup() {
	local file=$ROOT/topology/workers/services.yaml
	lbr up -i eth0 -m generic -c "$file"
	for server in "${SERVERS[@]}"; do
		bkd "$server" up -i eth0 -m generic -c "$file"
		on "$server" topology/workers/serve.sh start "$server" \
			"${KEY-five threads}"
	done
}

teardown() {
	run_end
	lbr down
	for server in "${SERVERS[@]}"; do
		on "$server" topology/workers/serve.sh stop || :
	done
}

# client SECONDS MS COUNT: exit status 0 if all were answered
client() {
	# shellcheck disable=SC2046
	on client build/topology/workers/client -t "$1" $(yes "$2" | head -n "$3")
}

# queues KEY
queues() {
	lbr show -j workers | jq ".queues[0].\"$1\""
}

# most_at_once: of the requests that one server worked on
most_at_once() {
	on "$1" awk '/sleeps/ { if (++now > most) most = now }
		/slept/ { now-- } END { print most + 0 }' /run/server
}

@test "40 requests: all are answered, 15 at a time" {
	client 20 300 40
	[[ $(queues sent) == 40 && $(queues from-queue) == 25 ]]
	[[ $(queues "done") == 40 && $(queues queued) == 0 ]]
	for server in "${SERVERS[@]}"; do
		[[ $(most_at_once "$server") == 5 ]]
	done
	lbr show -j workers | "$BATS_TEST_DIRNAME/documented.py" \
		"$ROOT/build/man/lbr.8" '[workers]' '[queues]' '[waits]'
	lbr show -j workers | jq -e '.workers | length == 3 and all(.free == 5)'
}

@test "metrics and page: threads, what waits, and a histogram of waits" {
	local sum
	run_begin "$ROOT/topology/workers/services.yaml"
	client 20 200 20
	[[ $(metric lbr_workers_free) == 15 && $(metric lbr_workers_busy) == 0 ]]
	[[ $(metric lbr_requests_sent_total) == 20 && $(metric lbr_requests_queued) == 0 ]]
	[[ $(metric lbr_requests_waited_seconds_count) == 5 ]]
	[[ $(metric lbr_requests_waited_seconds_bucket 'le="0.128"') == 0 ]]
	[[ $(metric lbr_requests_waited_seconds_bucket 'le="[+]Inf"') == 5 ]]
	sum=$(metric lbr_requests_waited_seconds_sum)
	awk -v sum="$sum" 'BEGIN { exit !(sum >= 0.9 && sum < 30) }'
	if command -v chromium >/dev/null; then
		wait_for 10 browse '0 of 1024 requests wait; 5 of 20 sent' 1
	fi
	linted lbr_requests_sent_total
}

@test "whatever checksums Linux leaves to others: all are answered" {
	for host in client server1 server2 server3; do
		on "$host" ethtool -K eth0 tx off >/dev/null
		client 20 100 20
		[[ $host != client ]] || on client ethtool -K eth0 tx on >/dev/null
	done
	for host in "${SERVERS[@]}"; do
		on "$host" ethtool -K eth0 tx on >/dev/null
	done
}

@test "over apply and up, with a full queue: all are answered" {
	local asking
	client 20 400 40 >"$BATS_TEST_TMPDIR/said" 3>&- &
	asking=$!
	waiting() {
		(($(queues queued) > 5))
	}
	wait_for 5 waiting
	sed 's/threads: 5/threads: 5\n    lease: 30s/' \
		"$ROOT/topology/workers/services.yaml" >"$BATS_TEST_TMPDIR/file"
	lbr apply "$BATS_TEST_TMPDIR/file"
	lbr up -c "$BATS_TEST_TMPDIR/file"
	wait "$asking"
	cat "$BATS_TEST_TMPDIR/said"
	[[ $(queues sent) == 40 && $(queues queued) == 0 ]]
}

@test "release-to: servers that say nothing; their hosts do, and the reply is as it was" {
	local file=$BATS_TEST_TMPDIR/file host
	teardown
	KEY=- setup
	run ! client 2 100 20
	{
		echo 'release-to: [172.18.0.3]'
		cat "$ROOT/topology/workers/services.yaml"
	} >"$file"
	for host in "${SERVERS[@]}"; do
		bkd "$host" apply "$file" >/dev/null
		# Linux completes the replies' checksums here, and leaves it to the device there.
		[[ $host == server1 ]] || on "$host" ethtool -K eth0 tx off >/dev/null
	done
	# What was sent before is of no server any more.
	lbr down >/dev/null
	lbr up -i eth0 -m generic -c "$file"
	client 20 200 40
	[[ $(queues "done") == 40 && $(queues too-small) == 0 && $(queues queued) == 0 ]]
	for host in "${SERVERS[@]}"; do
		[[ $(most_at_once "$host") == 5 ]]
		[[ $(on "$host" tc filter show dev eth0 egress | grep -c bkd_done) == 1 ]]
		bkd "$host" apply "$ROOT/topology/workers/services.yaml" >/dev/null
		[[ ! $(on "$host" tc filter show dev eth0 egress) ]]
		on "$host" ethtool -K eth0 tx on >/dev/null
	done
}

# says RESULT REGEX [OPTION...]: doctor's examination of workers
says() {
	lbr doctor -j "${@:3}" | jq -r '.examinations[] |
		select(.examination == "workers") | "\(.result) \(.report)"' |
		grep -E "^$1 $2"
}

@test "negative control: servers that do not know the key free no thread; doctor knows" {
	local file=$BATS_TEST_TMPDIR/file
	sed 's/threads: 5/threads: 5\n    queue: 5/' \
		"$ROOT/topology/workers/services.yaml" >"$file"
	says ok 'no request to workers waits for long' -c "$file"
	teardown
	KEY=another setup
	lbr apply "$file"
	run ! client 2 100 20
	[[ $(grep -c ^after <<<"$output") == 15 ]]
	[[ $(queues queued) == 5 && $(queues "done") == 0 ]]
	says fail '192.168.25.10:8080/udp: the queue is full: 5 requests wait, the oldest for ' -c "$file"
	says fail '192.168.25.10:8080/udp: of 15 requests, no server has said' -c "$file"
	sed -i '/release-key/d; s/queue: 5/queue: 6/' "$file"
	lbr apply "$file"
	says warn '192.168.25.10:8080/udp: without a release-key, ' -c "$file"
	says warn '192.168.25.10:8080/udp: 5 requests wait, the oldest for ' -c "$file"
}

# The last one here: it has another network.
@test "leases end and no packet comes: lbr run sends what waits, generic and native" {
	local file=$BATS_TEST_TMPDIR/file mode
	sed '/check:/d; s/threads: 5/threads: 5\n    lease: 1s/' \
		"$ROOT/topology/workers/services.yaml" >"$file"
	teardown
	network_down
	"$TOPO" up --native workers 3>&- # of the same name, for teardown_file
	KEY=another setup
	for mode in generic native; do
		lbr down
		lbr up -i eth0 -m "$mode" -c "$file"
		run_begin "$file"
		client 10 100 30
		run_end
		rm -f "$RUN".*
		[[ $(queues expired) == 15 && $(queues queued) == 0 ]]
	done
}

# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Requests that sleep, on 15 threads of three servers; sourced by topology/demo

file=topology/workers/services.yaml
table=

# queues KEY: of `lbr show workers`
queues() {
	on lb LoadBalancer/lbr show -j workers | jq ".queues[0].\"$1\""
}

# repeated MS COUNT
repeated() {
	local each
	for ((each = 0; each < $2; each++)); do
		echo "$1"
	done
}

# run TITLE COUNT MS [SECONDS]: sends them all at once. Afterwards its lines are
# in $client, and what was answered and queued in $answered and $queued.
run() {
	local before
	say "$1"
	before=$(queues from-queue)
	# shellcheck disable=SC2046
	client=$(on client build/topology/workers/client -t "${4:-20}" \
		$(repeated "$3" "$2")) || :
	echo "  client:"
	grep '^after' <<<"$client" | sed -n '1,3s/^/    /p;$s/^/    ... /p'
	echo "  servers:"
	for server in server1 server2 server3; do
		on "$server" tail -n 1 /run/server | sed 's/^/    /'
	done
	answered=$(grep -c '^after' <<<"$client") || :
	queued=$(($(queues from-queue) - before))
	table+=$(printf '  %-34s %8d %8d %6d' "$1" "$2" "$answered" "$queued")$'\n'
}

# in_order: no answer came 250 ms or more before that to an earlier request
in_order() {
	grep '^after' <<<"$client" | tr -d : | awk '{ at[$4] = $2 }
		END { for (i = 1; i <= length(at); i++) {
			if (at[i] + 250 < most) exit 1
			if (at[i] > most) most = at[i]
		} }'
}

network "three servers with five worker threads each, and a load balancer"

say "make, on all of them; each server has a thread for each slot"
make -s -C topology/workers
on lb make --no-print-directory -C LoadBalancer CONFIG="$PWD/$file"
for server in server1 server2 server3; do
	on "$server" make -s -C Backend CONFIG="$PWD/$file" >/dev/null
	on "$server" topology/workers/serve.sh start "$server"
done
on lb LoadBalancer/lbr trace all >/dev/null
on lb sh -c 'LoadBalancer/lbr run -l none >/run/lbr 2>&1 </dev/null &'

run "12 short ones" 12 100
promised "all answered" [ "$answered" = 12 ]
promised "the queue stays empty" [ "$queued" = 0 ]

run "40 long ones" 40 600
promised "all answered" [ "$answered" = 40 ]
promised "25 waited" [ "$queued" = 25 ]
promised "first in, first out" in_order
echo "  trace_pipe:"
traced lb 'xdp_lbr lb eth0: .*' | grep -E 'queued|from the queue' |
	sed -n '1,2s/^/  /p;$s/^/  /p'

on lb LoadBalancer/lbr show workers
(sleep 1 && on server3 topology/workers/serve.sh stop) &
run "40, and server3 is killed" 40 600 8
wait
promised "nearly all answered" [ "$answered" -ge 28 ]
promised "nobody waits" [ "$(queues queued)" = 0 ]
for ((tries = 0; tries < 50; tries++)); do
	given_up=$(on lb LoadBalancer/lbr show -j workers |
		jq '[.workers[]."given-up"] | add')
	((given_up == 0)) || break
	sleep 0.1
done
promised "what server3 was working on is given up" [ "$given_up" -gt 0 ]
on lb LoadBalancer/lbr show workers

say "What waits leaves as soon as a thread is free"
printf '  %-34s %8s %8s %6s\n' '' requests answered queued
printf '%s' "$table"
[[ $as_promised ]]

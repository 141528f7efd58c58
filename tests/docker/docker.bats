#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# The same network as Docker's containers: topology/docker. Run by `make
# test-docker`, through topology/docker-engine. What programs and tools do is
# tested in tests/net; here, that they do it in containers.

bats_require_minimum_version 1.5.0
load ../net/lib
TOPO=$ROOT/topology/docker

# Everything that carries our label
left() {
	docker ps -a --format '{{.Names}}' --filter label=l3dsr
	docker network ls --format '{{.Name}}' --filter label=l3dsr
	docker volume ls --format '{{.Name}}' --filter label=l3dsr
}

# Everything that the engine has, and what the machine can see of it
others() {
	docker ps -aq
	docker network ls -q
	docker volume ls -q
	ip -o link show type bridge | awk '{ print $2 }'
}

setup_file() {
	export OTHERS=$BATS_FILE_TMPDIR/others
	others >"$OTHERS"
	"$TOPO" up 3>&-
}

teardown_file() {
	"$TOPO" down --image
}

# Build on all three hosts at once, as their users may do.
make_all() {
	local pids=() host pid
	on "$LB" make -C LoadBalancer >"$BATS_TEST_TMPDIR/$LB" 2>&1 3>&- &
	pids+=($!)
	for host in "${BACKENDS[@]}"; do
		on "$host" make -C Backend >"$BATS_TEST_TMPDIR/$host" 2>&1 3>&- &
		pids+=($!)
	done
	for pid in "${pids[@]}"; do
		wait "$pid" || {
			cat "$BATS_TEST_TMPDIR/$LB" "$BATS_TEST_TMPDIR"/backend*
			return 1
		}
	done
}

# trace: reads the machine's trace, on the machine; mounts tracefs for this
# process alone where it is not mounted
trace() {
	unshare --mount sh -c '[ -e /sys/kernel/tracing/trace ] ||
		mount -t tracefs tracefs /sys/kernel/tracing
		cat /sys/kernel/tracing/trace'
}

received() {
	on "$LB" cat /sys/class/net/eth0/statistics/rx_bytes
}

# through: the bytes that the LB received while the client downloads 20 MB
download() {
	local before size
	before=$(received)
	size=$(on "$CLIENT" curl -sSf --max-time 60 -o /dev/null \
		-w '%{size_download}' "http://$VIP4/files/20M")
	through=$(($(received) - before))
	echo "downloaded $size bytes, of which the LB saw $through"
	((size == 20 << 20))
}

@test "before make: no container answers for the VIP" {
	run ! get "$VIP4"
}

@test "make in three containers at once, on one tree that none of them can write to" {
	make_all
	"$TOPO" show | grep -c '\[XDP generic' | grep -qx 3
	run -0 grep -h warning "$BATS_TEST_TMPDIR"/{lbdsr0a,backend0x,backend0y} || :
	[[ ! $output ]]
	run ! on "$LB" touch /l3dsr/LoadBalancer/new
}

@test "40 of 40 requests are answered, from both backends: IPv4 and IPv6" {
	balanced "$VIP4" 40 4 36
	balanced "$VIP6" 40 4 36
	run -0 "$TOPO" curl 40
	(($(grep -c 'Server name: backend0[xy]' <<<"$output") == 40))
}

@test "topology/docker curl fails where a request is not answered" {
	on backend0x make -C Backend detach
	run -1 "$TOPO" curl 20
	[[ $output == *"without an answer"* ]]
	on backend0x make -C Backend
	run -0 "$TOPO" curl 20
}

@test "the reply bypasses the load balancer; where it is routed through it, it is seen there" {
	local host
	for host in "${BACKENDS[@]}"; do
		on "$host" sh -c 'head -c 20M /dev/zero >/run/nginx/files/20M'
	done
	download
	((through < (20 << 20) / 10))
	on "$ROUTER" ip route replace 172.17.0.4 via 172.17.0.2
	download
	((through > 20 << 20))
	on "$ROUTER" ip route del 172.17.0.4
}

@test "the machine's trace shows the flow in both programs, and no other port" {
	local port
	port=$(get "$VIP4" -o /dev/null -w '%{local_port}')
	trace >"$BATS_TEST_TMPDIR/trace"
	grep -qE "xdp_lbr $LB eth0: 172.17.0.4:$port > $VIP4:80 .*forwarded" \
		"$BATS_TEST_TMPDIR/trace"
	grep -qE "xdp_bkd backend0[xy] eth0: 172.17.0.4:$port > .*restored" \
		"$BATS_TEST_TMPDIR/trace"
	port=$(on "$LB" cat /proc/sys/net/ipv4/ip_local_port_range | awk '{ print $1 - 1 }')
	run ! grep -q "172.17.0.4:$port > " "$BATS_TEST_TMPDIR/trace"
}

@test "make again under load loses no request" {
	local pid before
	# shellcheck disable=SC2016
	on "$CLIENT" bash -c 'until [[ -e /run/enough ]]; do
			curl -sSf --max-time 10 -H "Connection: close" -o /dev/null \
				-w "%{http_code}\n" "http://$0/[1-20]"
		done' "$VIP4" >"$BATS_TEST_TMPDIR/codes" \
		2>"$BATS_TEST_TMPDIR/errors" 3>&- &
	pid=$!
	wait_for 10 test -s "$BATS_TEST_TMPDIR/codes"
	before=$(wc -l <"$BATS_TEST_TMPDIR/codes")
	make_all
	on "$CLIENT" touch /run/enough
	wait "$pid"
	echo "$before requests before, $(wc -l <"$BATS_TEST_TMPDIR/codes") in all"
	(($(wc -l <"$BATS_TEST_TMPDIR/codes") > before + 20))
	run ! grep -vx 200 "$BATS_TEST_TMPDIR/codes"
	[[ ! -s $BATS_TEST_TMPDIR/errors ]]
}

@test "a container has three capabilities, and each of them is needed" {
	# NET_ADMIN 12, NET_RAW 13, SYS_ADMIN 21
	on "$LB" grep -qx $'CapBnd:\t0000000000203000' /proc/self/status
	# as ping, tcpdump and the dropper's server do
	local raw='import socket; socket.socket(socket.AF_INET, socket.SOCK_RAW, 1)'
	on "$LB" python3 -c "$raw"
	run ! docker run --rm --cap-drop=ALL l3dsr python3 -c "$raw"
	[[ $output == *"Operation not permitted"* ]]
	on "$LB" make -s -C LoadBalancer detach
	without() {
		docker run --rm --cap-drop=ALL "$@" -v "$ROOT:/l3dsr:ro" \
			-v l3dsr-build:/l3dsr/build --security-opt systempaths=unconfined \
			--security-opt apparmor=unconfined l3dsr \
			bash -c 'sleep infinity &
				LoadBalancer/lbr up -c topology/l3dsr/services.yaml'
	}
	run -1 without --cap-add=NET_ADMIN
	echo "$output"
	[[ $output == *"Operation not permitted"* ]]
	run -1 without --cap-add=SYS_ADMIN
	echo "$output"
	[[ $output == *"Operation not permitted"* ]]
	run -0 without --cap-add=NET_ADMIN --cap-add=SYS_ADMIN
	on "$LB" make -s -C LoadBalancer
	balanced "$VIP4" 40 4 36
}

@test "refused by name: no such host, a container of the same name" {
	run -2 "$TOPO" exec nosuch true
	[[ $output == "docker: cannot exec on nosuch: "*"try: "* ]]
	"$TOPO" down
	docker create --name router0a l3dsr >/dev/null
	run -1 "$TOPO" up
	docker rm router0a >/dev/null
	[[ $output == *"docker: cannot make container router0a: "*"try: "* ]]
	[[ ! $(left) ]]
}

@test "another scenario: refused while one is up; dropper: everything that its demo promises" {
	"$TOPO" up 3>&-
	run -1 "$TOPO" up dropper
	[[ $output == "docker: cannot up dropper: l3dsr is up"* ]]
	run -2 "$TOPO" up nosuch
	[[ $output == *"no such scenario"* ]]
	"$TOPO" down
	run -0 "$ROOT/topology/demo" --docker dropper
	echo "$output"
	[[ $output == *"once, IPv6 "* ]]
	[[ ! $(left) ]]
}

@test "up twice is fine, so is down of nothing; down leaves nothing behind" {
	"$TOPO" up 3>&-
	(($(left | wc -l) == 7)) # five containers, a network, a volume
	run -0 "$TOPO" up
	[[ $output == *"up already"* ]]
	"$TOPO" down --image
	run -0 "$TOPO" down --image
	[[ ! $(left) && ! $(docker images -q l3dsr) ]]
	diff "$OTHERS" <(others)
}

#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# restore: tc, with real nginx that listens on its backend's own address and
# nowhere else: the VIP is on no interface, and nothing is written into a
# packet.

# shellcheck disable=SC2154 # `run`

bats_require_minimum_version 1.5.0
load lib

NEAR4=172.19.0.3 NEAR6=2001:db8:19::3 # backend0x
SOURCES="lb-sources: ['172.17.0.0/16', '2001:db8:17::/64']"

setup_file() {
	network
	local backend
	for backend in "${BACKENDS[@]}"; do
		on "$backend" ip address del "$VIP4/32" dev lo
		on "$backend" ip address del "$VIP6/128" dev lo
		on "$backend" ip route change default via 172.19.0.2 advmss 1400
		on "$backend" ip -6 route change default via 2001:db8:19::2 \
			advmss 1380
	done
	serve backend0x 3
	serve backend0y 4
}

teardown_file() {
	network_down
}

# serve BACKEND NUMBER: nginx on port 8088 of its own addresses, and only there;
# one that serves there is stopped before
serve() {
	stop "$BATS_FILE_TMPDIR/$1/nginx.pid"
	wait_for 5 silent "$1"
	nginx_at "$1" "172.19.0.$2" "2001:db8:19::$2" on "$1"
}

# nginx_at NAME IPV4 IPV6 COMMAND...: nginx, started by COMMAND, in folder NAME
nginx_at() {
	local at=$BATS_FILE_TMPDIR/$1
	mkdir -p "$at/tmp"
	cat >"$at/conf" <<-EOF
		pid nginx.pid;
		user root;
		worker_processes 1;
		events {}
		http {
			access_log off;
			include $ROOT/topology/l3dsr/nginx-temp.conf;
			server {
				listen $2:8088;
				listen [$3]:8088;
				client_max_body_size 0;
				location / {
					return 200 "Server name: \$hostname\n";
				}
				location /files/ {
					alias ./;
					dav_methods PUT;
				}
			}
		}
	EOF
	"${@:4}" nginx -p "$at/" -e error.log -c "$at/conf" 3>&-
}

silent() { # BACKEND
	! on "$1" ss -Hltn 'sport = :8088' | grep -q .
}

# file RESTORE KEYS...: a service of each VIP, on port 8088, with these keys
file() {
	local head='' keys='' key vip net
	for key in "${@:2}"; do
		case $key in
		lb-sources*) head=$key ;;
		*) keys+=", $key" ;;
		esac
	done
	{
		echo "$head"
		echo "services:"
		for vip in "$VIP4" "$VIP6"; do
			net=172.19.0.
			[[ $vip != *:* ]] || net=2001:db8:19::
			echo "  - {vip: '$vip', port: 8088$keys, backends: [" \
				"{address: '${net}3', restore: $1}," \
				"{address: '${net}4', restore: $1}]}"
		done
	} >"$BATS_TEST_TMPDIR/file"
	echo "$BATS_TEST_TMPDIR/file"
}

# ask ADDRESS REQUESTS [curl's options]
ask() {
	local at=$1
	[[ $at != *:* ]] || at="[$at]"
	on "$CLIENT" curl -sS --max-time 5 -H 'Connection: close' "${@:3}" \
		"http://$at:8088/[1-$2]"
}

# both VIP: both servers answer
both() {
	local said
	said=$(ask "$1" 20)
	[[ $(grep -c '^Server name: backend0' <<<"$said") == 20 ]]
	[[ $(grep -c '^Server name: backend0x' <<<"$said") == [1-9]* ]]
	[[ $(grep -c '^Server name: backend0y' <<<"$said") == [1-9]* ]]
}

serves() { # KEYS...
	detach
	attach generic "$(file tc "$@")"
	both "$VIP4"
	both "$VIP6"
}

# direct: connections to the backend's own address reach it as such
direct() {
	ask "$NEAR4" 1 | grep -qx "Server name: backend0x"
	ask "$NEAR6" 1 | grep -qx "Server name: backend0x"
}

@test "rewrite: a server on its own address answers as the VIP, which no interface has" {
	serves
	[[ ! $(on backend0x ip -o address show to "$VIP4") ]]
	[[ ! $(on backend0x ip -o address show to "$VIP6") ]]
	bkd backend0x show -j restores |
		jq -e '.restores | length == 2 and all(.restore == "tc")'
	run ! ask "$NEAR4" 1 --max-time 0.5
	# started again, while no tool runs
	serve backend0x 3
	both "$VIP4"
	both "$VIP6"
}

@test "dscp and ipip: the same; direct connections stay direct" {
	serves "forward: dscp" "dscp: 10"
	direct
	serves "forward: ipip" "$SOURCES"
	direct
}

# datagrams VIP PORT COUNT SIZE [SECONDS]: each is answered, and by the VIP
datagrams() {
	on "$CLIENT" /usr/bin/python3 - "$@" <<-'EOF'
		import os, socket, sys

		vip, port, count, size, *seconds = sys.argv[1:]
		family = socket.AF_INET6 if ":" in vip else socket.AF_INET
		for _ in range(int(count)):
		    with socket.socket(family, socket.SOCK_DGRAM) as one:
		        one.settimeout(float((seconds or [5])[0]))
		        one.connect((vip, int(port)))
		        data = os.urandom(int(size))
		        one.send(data)
		        assert one.recv(65536) == data
	EOF
}

# echoing NAME COMMAND... -- ADDRESS...: a UDP echo on port 7788, started by COMMAND; the
# one of that name is stopped before
echoing() {
	local pid=$BATS_FILE_TMPDIR/$1.pid command=()
	stop "$pid"
	shift
	while [[ $1 != -- ]]; do
		command+=("$1")
		shift
	done
	shift
	"${command[@]}" /usr/bin/python3 -c 'import os, select, socket, sys
held = []
for address in sys.argv[2:]:
    one = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM)
    if ":" in address:
        one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    one.bind((address, 7788))
    held.append(one)
with open(sys.argv[1] + ".new", "w") as file:
    print(os.getpid(), file=file)
os.rename(sys.argv[1] + ".new", sys.argv[1])
while True:
    for one in select.select(held, [], [])[0]:
        data, client = one.recvfrom(65536)
        one.sendto(data, client)' "$pid" "$@" 3>&- &
	wait_for 10 test -e "$pid"
}

stop() { # PIDFILE
	[[ ! -e $1 ]] || kill "$(<"$1")"
	rm -f "$1"
}

@test "udp: a server on its own address, or on all, answers as the VIP" {
	local at vip
	for at in "$NEAR4 $NEAR6" "0.0.0.0 ::"; do
		# shellcheck disable=SC2086 # two addresses
		echoing here on backend0x -- $at
		near_up "$(udp_file tc)"
		for vip in "$VIP4" "$VIP6"; do
			datagrams "$vip" 7788 5 1000
			datagrams "$vip" 7788 2 4000 # in fragments
		done
		[[ $at != 0* ]] || run ! answered_lo
	done
	stop "$BATS_FILE_TMPDIR/here.pid"
}

# near_up FILE [OPTIONS...]: with backend0x alone
near_up() {
	lbr up -m generic -c "$1"
	bkd backend0x up -m generic -c "$@"
}

# answered_lo: with the VIP on lo, such a server answers from its own address
answered_lo() {
	near_up "$(udp_file lo)"
	datagrams "$VIP4" 7788 1 1000 0.5
}

# udp_file RESTORE: one backend
udp_file() {
	cat >"$BATS_TEST_TMPDIR/file" <<-EOF
		services:
		  - {vip: '$VIP4', port: 7788, protocol: udp, backends: [{address: 172.19.0.3, restore: $1}]}
		  - {vip: '$VIP6', port: 7788, protocol: udp, backends: [{address: '2001:db8:19::3', restore: $1}]}
	EOF
	echo "$BATS_TEST_TMPDIR/file"
}

# container: a network namespace behind backend0x, with addresses of its own, and nginx
# and a UDP echo there; CONTAINER is the command that runs something in it
C4=10.88.0.2 C6=2001:db8:88::2
container() {
	local pid=$BATS_FILE_TMPDIR/namespace.pid
	on backend0x unshare -n sh -c "echo \$\$ >$pid.new; mv $pid.new $pid
		exec sleep 1000" 3>&- &
	wait_for 10 test -e "$pid"
	CONTAINER=(on backend0x nsenter --net="/proc/$(<"$pid")/ns/net")
	on backend0x sh -ec "ip link add cont type veth peer name eth0 netns $(<"$pid")
		ip address add 10.88.0.1/24 dev cont
		ip address add 2001:db8:88::1/64 dev cont nodad
		ip link set cont up
		sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1"
	"${CONTAINER[@]}" sh -ec "ip link set lo up; ip link set eth0 up
		ip address add $C4/24 dev eth0
		ip address add $C6/64 dev eth0 nodad
		ip route add default via 10.88.0.1
		ip route add default via 2001:db8:88::1"
	on "$ROUTER" ip route replace 10.88.0.0/24 via "$NEAR4"
	on "$ROUTER" ip route replace 2001:db8:88::/64 via "$NEAR6"
	local host
	for host in "$LB" "$CLIENT"; do
		on "$host" ip route replace 10.88.0.0/24 via 172.17.0.3
		on "$host" ip route replace 2001:db8:88::/64 via 2001:db8:17::3
	done
	echoing container "${CONTAINER[@]}" -- "$C4" "$C6"
	nginx_at container "$C4" "$C6" "${CONTAINER[@]}"
}

@test "a server in another network namespace: TCP and UDP, whatever is offloaded" {
	local offload host vip method
	container
	head -c 300K /dev/urandom >"$BATS_FILE_TMPDIR/container/data"
	for method in rewrite "dscp, dscp: 10"; do
		detach
		near_up "$(container_file "$method")" -a "$C4" -a "$C6"
		for offload in "tx off" "tx on gso off" "tx on gso on"; do
			# shellcheck disable=SC2086 # words
			for host in "${CONTAINER[*]}" "on $CLIENT"; do
				$host ethtool -K eth0 $offload >/dev/null
			done
			for vip in "$VIP4" "$VIP6"; do
				datagrams "$vip" 7788 2 1000
				transfers "$vip"
			done
		done
	done
	ask "$C4" 1 | grep -qx 'Server name: backend0x'
	[[ $("${CONTAINER[@]}" nstat -asz TcpInCsumErrors UdpInCsumErrors |
		awk '/Csum/ { sum += $2 } END { print sum }') == 0 ]]
	stop "$BATS_FILE_TMPDIR/container.pid"
	stop "$BATS_FILE_TMPDIR/namespace.pid"
}

# transfers VIP: a file comes whole, and another one arrives so
transfers() {
	local at=$1
	[[ $at != *:* ]] || at="[$at]"
	on "$CLIENT" curl -sS --max-time 10 "http://$at:8088/files/data" |
		cmp - "$BATS_FILE_TMPDIR/container/data"
	on "$CLIENT" curl -sS --max-time 10 -o /dev/null \
		-T "$BATS_FILE_TMPDIR/container/data" "http://$at:8088/files/back"
	cmp "$BATS_FILE_TMPDIR/container/data" "$BATS_FILE_TMPDIR/container/back"
}

container_file() { # METHOD
	{
		echo "services:"
		local port
		for port in "8088" "7788, protocol: udp"; do
			echo "  - {vip: $VIP4, port: $port, forward: $1, backends: [{address: $C4, restore: tc}]}"
			echo "  - {vip: '$VIP6', port: $port, forward: $1, backends: [{address: '$C6', restore: tc}]}"
		done
	} >"$BATS_TEST_TMPDIR/file"
	echo "$BATS_TEST_TMPDIR/file"
}

@test "negative control: without restore: tc, the same servers refuse" {
	attach generic "$(file lo)"
	run -7 ask "$VIP4" 1
	run -7 ask "$VIP6" 1
}

@test "down puts back what up changed; apply goes from one to the other" {
	detach
	local before
	before=$(state)
	attach generic "$(file tc)"
	[[ $(on backend0x ip route show table local proto 117) == "local $VIP4 dev lo "* ]]
	bkd backend0x apply "$(file lo)" | grep -x "lo: VIP $VIP4 added"
	[[ ! $(on backend0x ip route show table local proto 117) ]]
	bkd backend0x apply "$(file tc)" >"$BATS_TEST_TMPDIR/said"
	grep -x "lo: VIP $VIP4 removed" "$BATS_TEST_TMPDIR/said"
	grep -q 'whose server listens on its own address' "$BATS_TEST_TMPDIR/said"
	both "$VIP4"
	detach
	diff - <(state) <<<"$before"
}

# state: of backend0x, what `up` may change
state() {
	on backend0x ip -o address
	on backend0x ip route show table all
	on backend0x ip -6 route show table all
	on backend0x sysctl net.ipv4.conf.all
	on backend0x bpftool net show
	on backend0x bpftool link show | grep -c sk_lookup || :
}

@test "down leaves a clsact qdisc that has a filter of somebody else" {
	attach generic "$(file tc)"
	on backend0x tc filter add dev eth0 egress \
		bpf bytecode '1,6 0 0 0'
	bkd backend0x down | grep -x 'eth0: bkd_out detached'
	[[ $(on backend0x tc filter show dev eth0 egress) == *bytecode* ]]
	[[ $(on backend0x tc filter show dev eth0 ingress) != *bpf* ]]
	on backend0x tc qdisc del dev eth0 clsact
}

@test "doctor: the route or a program is gone; apply mends it" {
	attach generic "$(file tc)"
	run -0 bkd backend0x doctor -j -c "$(file tc)"
	on backend0x ip route del local "$VIP4" table local
	on backend0x rm /sys/fs/bpf/l3dsr/bkd-"$LAYOUT"/lookup
	on backend0x tc qdisc del dev eth0 clsact
	run -3 bkd backend0x doctor -j -c "$(file tc)"
	jq -c '.examinations[] | select(.result == "fail")' <<<"$output"
	jq -e '[.examinations[] | select(.result == "fail").report] | length == 3 and
		any(test("has no local route")) and any(test("bkd_listener is not attached")) and
		any(test("bkd_in or bkd_out is missing"))' \
		<<<"$output"
	bkd backend0x apply "$(file tc)"
	both "$VIP4"
}

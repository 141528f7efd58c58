#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# xdp_dropper: what passes and what does not. The oracle are tcpdump on the
# client, where all is seen, and what the server's socket delivers.

# shellcheck disable=SC2030,SC2031 # bats runs each test in a subshell

bats_require_minimum_version 1.5.0
load lib
load dropper

setup_file() {
	network dropper
	dropper_build
}

teardown_file() {
	network_down
}

setup() {
	SERVER=$BATS_TEST_TMPDIR/server
	# shellcheck disable=SC2016
	on server bash -c 'echo $$ >"$1"; exec topology/dropper/server.py' \
		- "$SERVER.pid" >"$SERVER" 3>&- &
	wait_for 10 grep -q listening "$SERVER"
}

teardown() {
	sniff_end
	kill "$(<"$SERVER.pid")"
	finds server eth0 || :
	finds client eth0 || :
	on client ethtool -K eth0 tx on >/dev/null
}

# sends ADDRESS [OPTION]...: runs the client; what it prints is in $output
# afterwards
sends() {
	sniff wire client eth0 -S "tcp dst port 8080"
	before=$(wc -l <"$SERVER")
	run on client topology/dropper/client.py "$@"
	echo "$output"
	port=$(sed -n 's/^from port //p' <<<"$output")
	wait_for 5 seen wire '\[R' # the client closes by a reset, if it was connected
}

# wire: the sequence numbers of SYNs and of data that the client sent, in order
wire() {
	sniffed wire | grep -v 'Flags \[R' | sed -n 's/.*, seq \([0-9]*\).*/\1/p'
}

# said: what the server printed about this client; the port may also be an
# earlier client's
said() {
	tail -n "+$((before + 1))" "$SERVER" | sed -n "s/^$port //p"
}

# behind: the same sequence numbers, seen behind the dropper
behind() {
	said | sed -nE "s/^segment ([0-9]*) .*(SYN|'.').*/\1/p"
}

# delivered: the bytes that the server's TCP delivered, in order
delivered() {
	said | sed -n "s/^TCP delivers .\(.\).\$/\1/p" | tr -d '\n'
}

odd() {
	grep '[13579]$' || :
}

# lost_once: each number that was sent arrives, but each even one once less than
# it was sent; the number after the SYN's was already lost with the handshake's
# ACK
lost_once() {
	local first
	first=$(wire | head -n 1)
	wire | sort | uniq -c | awk -v ack="$((first + 1))" '
		{ n = $1 - ($2 % 2 == 0 && $2 != ack); if (n) print n, $2 }' |
		diff - <(behind | sort | uniq -c | awk '{ print $1, $2 }')
}

all_there() { # BYTES
	[[ $(delivered) == "$1" ]]
}

@test "negative control: without the dropper nothing is lost" {
	sends 172.17.0.2 --count 5 --pause 0.02 --first even
	((status == 0))
	wait_for 5 all_there abcde
	(($(wire | wc -l) >= 6))
	diff <(wire) <(behind)
	run ! diff <(wire | odd) <(behind)
}

@test "parity: odd numbers pass, even ones never do; TCP stays at the first even one" {
	local address
	loses server eth0 --port 8080
	for address in 172.17.0.2 2001:db8:17::2; do
		sends "$address" --count 6 --pause 0.02 --first odd --patience 1
		((status == 1))
		[[ $output == *"6 bytes sent, 0 acknowledged" ]]
		[[ ! $(delivered) ]]
		(($(wire | wc -l) > $(behind | wc -l)))
		(($(behind | wc -l) >= 2)) # the SYN, and one byte
		diff <(wire | odd) <(behind)
		sniff_end
	done
}

@test "parity: an even first number never connects" {
	loses server eth0 --port 8080
	sniff wire client eth0 -S "tcp dst port 8080"
	run -1 on client topology/dropper/client.py 2001:db8:17::2 --first even --patience 1.5
	[[ $output == *"not connected"* ]]
	wait_for 5 seen wire '\[S\]'
	[[ $(wire | sort -u | wc -l) == 1 ]]
	port=$(sed -n 's/^from port //p' <<<"$output") before=0
	[[ ! $(said) ]]
	# packets to another port are not affected
	on client bash -c '! : </dev/tcp/172.17.0.2/8081' 2>&1 | grep -q refused
}

@test "once: what was lost passes when it is sent again: every byte arrives" {
	local address parity
	loses server eth0 --mode once --port 8080
	for parity in odd even; do
		for address in 172.17.0.2 2001:db8:17::2; do
			sends "$address" --count 4 --pause 0.02 --first "$parity" --patience 10
			((status == 0))
			all_there abcd
			lost_once
			sniff_end
		done
	done
	(($(lost server eth0) >= 8))
}

@test "the trace has a line for each number that was dropped or passed" {
	local number
	loses server eth0 --mode once --port 8080 --trace
	sends 172.17.0.2 --count 2 --pause 0.02 --first odd --patience 10
	trace=$(on server cat /sys/kernel/tracing/trace | grep "from port $port, ")
	for number in $(wire | sort -u); do
		grep -q "sequence number $number: passed" <<<"$trace"
		((number % 2)) || grep -q "sequence number $number: dropped" <<<"$trace"
	done
	run ! grep -E 'number [0-9]*[13579]: dropped' <<<"$trace"
}


# counter NAME: the server's counter for UDP over IPv6
counter() {
	# shellcheck disable=SC2016
	on server awk -v name="Udp6$1" '$1 == name { print $2 }' /proc/net/snmp6
}

# udp COUNT: sends datagrams to port 9, where nobody listens; $good of them
# reach the server's UDP, which refuses $bad more because of their checksum
udp() {
	local good_before bad_before
	good_before=$(counter NoPorts) bad_before=$(counter InCsumErrors)
	on client /usr/bin/python3 - "$1" <<-'EOF'
		import socket, sys

		s = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
		for _ in range(int(sys.argv[1])):
		    s.sendto(b"datagram", ("2001:db8:17::2", 9))
		# everything has arrived that will
		s.sendto(b"the last", ("2001:db8:17::2", 10))
	EOF
	wait_for 5 comes_to "$((good_before + 1))"
	good=$(($(counter NoPorts) - good_before - 1))
	bad=$(($(counter InCsumErrors) - bad_before))
	echo "$good good, $bad bad"
}

comes_to() {
	(($(counter NoPorts) >= $1))
}

# losing OPTION...: attaches the dropper with these options instead
losing() {
	finds server eth0 || :
	loses server eth0 --protocol udp --port 9 "$@"
}

@test "nth and rate: the right number is lost" {
	udp 30
	((good == 30 && bad == 0))
	losing --mode nth --every 3
	udp 30
	((good == 20 && bad == 0 && $(lost server eth0) == 10))
	losing --mode rate --percent 0
	udp 30
	((good == 30))
	losing --mode rate --percent 100
	udp 30
	((good == 0))
	losing --mode rate --percent 30
	udp 400
	((good > 200 && good < 360 && good + $(lost server eth0) == 400))
	# of TCP, nothing
	losing --mode rate --percent 100
	sends 172.17.0.2 --count 2 --pause 0
	all_there ab
}

@test "corrupt: the receiver refuses the checksum, and the sender repeats; not where there is no checksum" {
	losing --mode corrupt --every 2
	# veth's sender leaves the checksum to the device, and its receiver
	# verifies none
	udp 20
	((good == 20 && bad == 0))
	on client ethtool -K eth0 tx off >/dev/null
	udp 20
	((good == 10 && bad == 10))
	finds server eth0 | grep -q '40 seen, 0 dropped, 20 corrupted'
	loses server eth0 --mode corrupt --every 3 --port 8080
	sends 172.17.0.2 --count 6 --pause 0.01 --patience 10
	all_there abcdef
	dropper server show eth0
	dropper server show eth0 | grep -vq ' 0 corrupted'
	# negative control
	on client ethtool -K eth0 tx on >/dev/null
	sends 172.17.0.2 --count 6 --pause 0.01
	((status == 0))
	run ! all_there abcdef
}

@test "direction out: outgoing packets are dropped; detach puts everything back" {
	local host before
	before=$(for host in client server; do state "$host"; done)
	dropper client attach eth0 --direction out --protocol udp --port 9 --mode nth --every 2
	loses client eth0 --source-port 8080
	[[ $(dropper client show eth0 | wc -l) == 2 ]]
	udp 10
	((good == 5))
	[[ $(for host in client server; do state "$host"; done) != "$before" ]]
	finds client eth0
	[[ $(for host in client server; do state "$host"; done) == "$before" ]]
	# the clsact belongs to somebody else
	on client tc qdisc add dev eth0 clsact
	loses client eth0 --direction out
	finds client eth0
	on client tc qdisc show dev eth0 | grep clsact
	on client tc qdisc del dev eth0 clsact
	# it is ours, and somebody else uses it, too: it stays until both are gone
	local way
	for way in ingress egress; do
		loses client eth0 --direction out
		on client tc filter add dev eth0 "$way" bpf bytecode '1,6 0 0 4294967295'
		finds client eth0
		on client tc filter show dev eth0 "$way" | grep bytecode
		on client tc qdisc del dev eth0 clsact
	done
	[[ $(for host in client server; do state "$host"; done) == "$before" ]]
}

# state HOST: everything that an attached program changes
state() {
	on "$1" ip -o link show dev eth0
	on "$1" tc qdisc show dev eth0
	on "$1" tc filter show dev eth0 egress 2>&1
}

# refuses STATUS CAUSE HOST ARGUMENT...
refuses() {
	run "-$1" dropper "${@:3}"
	echo "$output"
	[[ $output == "dropper: cannot "*"$2"*$'\n'"  try: "* ]]
}

@test "refused by name, and the attached program stays" {
	refuses 1 "no such interface" server attach eth7
	refuses 1 "no dropper is attached" server detach eth0
	refuses 1 "no dropper is attached" server show eth0
	refuses 2 "no such verb" server lose eth0
	refuses 2 "not allowed" server attach eth0 --mode some
	refuses 2 "not allowed" server attach eth0 --mode nth --every 0
	refuses 2 "not allowed" server attach eth0 --mode rate --percent 101
	refuses 2 "not allowed" server attach eth0 --port 65536
	refuses 2 "no such option" server attach eth0 --ports 9
	refuses 2 "only TCP has" server attach eth0 --protocol udp
	refuses 2 "only TCP and UDP" server attach eth0 --mode rate --protocol any --port 9
	refuses 2 "one interface" server attach eth0 eth1
	loses server eth0 --mode once
	# an interface that may not be read is not taken for one without a
	# program
	on server setpriv --reuid 65534 topology/dropper/dropper show eth0 2>&1 |
		grep 'cannot show eth0: Operation not permitted'
	refuses 1 "a dropper is attached" server attach eth0
	dropper server show eth0 | grep -q once
	finds server eth0
	make -s -C "$ROOT/topology"
	on server ip link set dev eth0 xdpgeneric obj build/topology/xdp_pass.bpf.o sec xdp
	refuses 1 "an XDP program already" server attach eth0
	refuses 1 "no dropper is attached" server detach eth0
	on server ip link show dev eth0 | grep xdpgeneric
	on server ip link set dev eth0 xdpgeneric off
}

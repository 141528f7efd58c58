#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# Health checks: they go the way that a client's packets go, so they fail where
# a client's would, whatever the application says to who asks it directly.

# shellcheck disable=SC2030,SC2031,SC2154 # `run` and its friends

load lib
load run
load status
bats_require_minimum_version 1.5.0

X=backend0x X4=172.19.0.3 X6=2001:db8:19::3

setup_file() {
	network
	attach generic
	on "$X" openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=x \
		-keyout /run/key -out /run/cert 2>/dev/null
	# The same application, on a port that is no service's.
	cat >"$BATS_FILE_TMPDIR/second.conf" <<-'EOF'
		pid second.pid;
		events {}
		http {
			access_log off;
			client_body_temp_path tmp/body;
			proxy_temp_path tmp/proxy;
			fastcgi_temp_path tmp/fastcgi;
			uwsgi_temp_path tmp/uwsgi;
			scgi_temp_path tmp/scgi;
			server {
				listen 8080;
				listen [::]:8080;
				listen 443 ssl;
				ssl_certificate /run/cert;
				ssl_certificate_key /run/key;
				location / { return 200 "fine"; }
			}
		}
	EOF
	second
}

# second [nginx's options]
second() {
	on "$X" nginx -p /run/nginx/ -c "$BATS_FILE_TMPDIR/second.conf" -e error2.log "$@" 3>&-
}

teardown_file() {
	network_down
}

# All four services, by HTTP and UDP; "$@": more for sed
setup() {
	FILE=$BATS_TEST_TMPDIR/services.yaml
	local often='interval: 200ms, timeout: 100ms, rise: 1, fall: 2'
	services "$FILE" \
		"s/^\( *\)protocol: tcp/&\n\1check: {type: http, $often}/" \
		"s/^\( *\)protocol: udp/&\n\1check: {type: udp, send: hello, body: hello, $often}/"
	lbr apply "$FILE" >/dev/null
}

teardown() {
	run_end
	services "$BATS_TEST_TMPDIR/plain.yaml"
	# At once: what a test has added is not to drain in the next.
	lbr apply --now "$BATS_TEST_TMPDIR/plain.yaml" >/dev/null
}

states() { # ADDRESS: of that backend, in all services
	lbr show -j backends |
		jq -r --arg address "$1" '.backends[] | select(.backend == $address).state' |
		sort -u
}

are() { # STATE ADDRESS...
	local address
	for address in "${@:2}"; do [[ $(states "$address") == "$1" ]] || return 1; done
}

# are_found FINDING ADDRESS...: what checks found, of what people are told otherwise
are_found() {
	local address
	for address in "${@:2}"; do
		[[ $(lbr show -j backends | jq -r --arg address "$address" \
			'.backends[] | select(.backend == $address).health' | sort -u) == "$1" ]] || return 1
	done
}

# is_also STATE ADDRESS: in one of the services
is_also() {
	grep -qx "$1" <<<"$(states "$2")"
}

# The application, asked directly.
is_fine() {
	[[ $(on "$LB" curl -sS --max-time 2 "http://$X4:8080/") == fine ]]
}

# fails_until_mended BREAK MEND: the path of X alone
fails_until_mended() {
	run_begin "$FILE"
	wait_for 10 answered
	eval "$1"
	wait_for 5 are down "$X4" "$X6"
	run_said "80/tcp: backend $X4 is down: sent to the backend; no answer from the VIP"
	wait_for 5 are up 172.19.0.4 2001:db8:19::4
	is_fine
	[[ $(answers "$VIP4" 10) == 'backend0y 10' ]]
	[[ $(echoes "$VIP6" 10) == 'backend0y 10' ]]
	eval "$2"
	wait_for 5 are up "$X4" "$X6"
}

@test "a check goes to the VIP, by way of its backend, and is answered from the VIP" {
	sniff wire wires "$X-eth0" 'tcp port 80'
	run_begin "$FILE"
	wait_for 5 seen wire "192\.168\.25\.10\.80 > 172\.17\.0\.2\.[0-9]+: Flags \[S\.\]"
	wait_for 5 seen wire "2001:db8:25::10\.80 > 2001:db8:17::2\.[0-9]+: Flags \[S\.\]"
	seen wire "172\.17\.0\.2\.[0-9]+ > 172\.19\.0\.3\.80: Flags \[S\]"
	seen wire "2001:db8:17::2\.[0-9]+ > 2001:db8:19::3\.80: Flags \[S\]"
	sniff_end
	run ! seen wire "172\.17\.0\.2\.[0-9]+ > 172\.19\.0\.4"
	wait_for 5 on "$X" grep -q '^172.17.0.2 [0-9]* 192.168.25.10 80 200 GET / ' /run/nginx/access.log
	# Clients' counters know nothing of it.
	[[ $(lbr show -j backends | jq '[.backends[].packets] | add') == 0 ]]
	wait_for 5 are up "$X4" "$X6" 172.19.0.4 2001:db8:19::4
}

@test "xdp_bkd detached: the path fails, the application is fine" {
	fails_until_mended "bkd $X down" "bkd $X up >/dev/null"
}

@test "VIP off lo: the path fails, the application is fine" {
	fails_until_mended \
		"on $X ip addr del $VIP4/32 dev lo; on $X ip addr del $VIP6/128 dev lo" \
		"on $X ip addr add $VIP4/32 dev lo; on $X ip addr add $VIP6/128 dev lo"
}

@test "way back from the VIP broken: the path fails, the application is fine" {
	fails_until_mended \
		"on $X ip rule add from $VIP4 blackhole; on $X ip -6 rule add from $VIP6 blackhole" \
		"on $X ip rule del from $VIP4 blackhole; on $X ip -6 rule del from $VIP6 blackhole"
}

@test "the application dead: the path is good, it is out at once, and in again" {
	run_begin "$FILE"
	wait_for 10 answered
	on "$X" nginx -p /run/nginx/ -c "$ROOT/topology/l3dsr/nginx.conf" -s stop
	wait_for 5 run_said "10:80/tcp: backend $X4 is down: Connection refused"
	wait_for 5 is_also down "$X4"
	[[ $(answers "$VIP4" 10) == 'backend0y 10' ]]
	on "$X" nginx -p /run/nginx/ -c "$ROOT/topology/l3dsr/nginx.conf" 3>&-
	wait_for 5 are up "$X4" "$X6"
}

# apart ADDRESS PATH APPLICATION [WHY]: what the last checks by HTTP found
apart() {
	look /status |
		jq -e --arg backend "$1" --arg found "${*:2}" '[.checks[] |
			select(.backend == $backend and .type == "http") |
			"\(.path) \(.application) \(.why // "")" | rtrimstr(" ")] |
			length > 0 and all(. == $found)' >/dev/null
}

@test "application-port: the path and the application, each on its own" {
	local lost='sent to the backend; no answer from the VIP' address
	# What the VIP itself answers is another body.
	sed -i 's/type: http,/type: http, application-port: 8080, body: fine,/' "$FILE"
	run_begin "$FILE"
	run_signal HUP
	for address in "$X4" "$X6"; do wait_for 5 apart "$address" good good; done
	# Who does not have it:
	for address in 172.19.0.4 2001:db8:19::4; do
		wait_for 5 apart "$address" good bad 'port 8080: Connection refused'
	done
	wait_for 5 run_said '10:80/tcp: backend 172.19.0.4 is down: port 8080: Connection refused'
	bkd "$X" down
	for address in "$X4" "$X6"; do
		wait_for 5 apart "$address" bad good "$lost; port 8080 answers"
	done
	wait_for 5 run_said "10:80/tcp: backend $X4 is down: $lost; port 8080 answers"
	second -s stop
	for address in "$X4" "$X6"; do
		wait_for 5 apart "$address" bad bad "$lost; port 8080: Connection refused"
	done
	bkd "$X" up >/dev/null
	for address in "$X4" "$X6"; do
		wait_for 5 apart "$address" good bad 'port 8080: Connection refused'
	done
	run ! run_said "10:80/tcp: backend $X4 is up"
	second
	wait_for 5 is_up_again 1
}

is_up_again() { # TIMES
	(($(grep -c "10:80/tcp: backend $X4 is up" "$RUN.out") == $1))
}

@test "a wrong status, another body, no TLS: the path is good" {
	sed -i '0,/type: http,/s//type: https,/' "$FILE"
	run_begin "$FILE"
	run_signal HUP
	wait_for 5 run_said "10:80/tcp: backend $X4 is down: no TLS"
	sed -i 's/type: https,/type: http, status: 404, path: \/files\/none,/' "$FILE"
	run_signal HUP
	wait_for 5 is_up_again 1
	sed -i 's/status: 404, //' "$FILE"
	run_signal HUP
	wait_for 5 run_said "10:80/tcp: backend $X4 is down: status 404"
	sed -i 's/path: .files.none/body: backend0x/' "$FILE"
	run_signal HUP
	wait_for 5 is_up_again 2
	sed -i 's/body: backend0x/body: of nobody/' "$FILE"
	run_signal HUP
	wait_for 5 run_said "10:80/tcp: backend $X4 is down: status 200, another body"
}

# A server of UDP that never answers, as one of syslog; its process is $silent.
silent_begin() {
	on "$X" /usr/bin/python3 -c '
import os, socket, sys, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind((sys.argv[1], 514))
open(sys.argv[2], "w").write(str(os.getpid()))
while True:
    s.recv(9)' "$VIP4" "$BATS_TEST_TMPDIR/silent" >/dev/null 2>&1 3>&- &
	wait_for 5 test -s "$BATS_TEST_TMPDIR/silent"
	silent=$(<"$BATS_TEST_TMPDIR/silent")
}

# found ADDRESS WORDS: what the last check of port 514 found
found() {
	look /status |
		jq -e --arg backend "$1" --arg found "$2" 'any(.checks[];
			.backend == $backend and .port == 514 and
			"\(.up) \(.path) \(.application) \(.why // "")" == $found)' >/dev/null
}

@test "udp, a server that never answers: up where the file says so, a refusal is not" {
	local check='type: udp, send: hello, no-answer: up, interval: 1s, timeout: 200ms, rise: 1, fall: 1'
	sed -i "/^services:/a\  - {vip: $VIP4, port: 514, protocol: udp, check: {$check}, backends: [{address: $X4}, {address: 172.19.0.4}]}" "$FILE"
	silent_begin
	lbr apply "$FILE"
	bkd "$X" apply "$FILE" >/dev/null
	bkd backend0y apply "$FILE" >/dev/null
	run_begin "$FILE"
	wait_for 5 found "$X4" 'true unknown unknown sent to the backend; silent'
	# Nobody has the port there.
	wait_for 5 found 172.19.0.4 'false good bad Connection refused'
	# What is not sent is not silence.
	on "$LB" ip route add blackhole "$X4"
	wait_for 5 found "$X4" 'false bad unknown not sent: fib_blackhole'
	on "$LB" ip route del blackhole "$X4"
	wait_for 5 found "$X4" 'true unknown unknown sent to the backend; silent'
	# By default an answer has to come.
	sed -i 's/no-answer: up, //' "$FILE"
	run_signal HUP
	wait_for 5 found "$X4" 'false bad unknown sent to the backend; no answer from the VIP'
	kill "$silent"
}

@test "https: with a certificate of whomever" {
	sed -i '/^services:/a\  - {vip: 192.168.25.10, port: 443, backends: [{address: 172.19.0.3}, {address: 172.19.0.4}], check: {type: https, host: example.org, body: fine, interval: 2s, timeout: 1s, rise: 1, fall: 2}}' "$FILE"
	lbr apply "$FILE" >/dev/null
	bkd "$X" apply "$FILE" >/dev/null
	bkd backend0y apply "$FILE" >/dev/null
	run_begin "$FILE"
	# Only X has it.
	wait_for 5 run_said '443/tcp: backend 172.19.0.4 is down: Connection refused'
	wait_for 5 is_also down 172.19.0.4
	[[ $(on "$CLIENT" curl -sSk --max-time 5 "https://$VIP4/[1-5]") == finefinefinefinefine ]]
	run ! run_said "443/tcp: backend $X4 is down"
}

# all_down: every backend of the first service
all_down() {
	sed -i '0,/type: http,/s//type: http, status: 500,/' "$FILE"
	sed -i "0,/ *check:/s//    on-all-down: $1\n&/" "$FILE"
	run_begin "$FILE"
	run_signal HUP
	wait_for 5 run_said "10:80/tcp: backend $X4 is down"
	wait_for 5 run_said '10:80/tcp: backend 172.19.0.4 is down'
}

@test "all down: all serve whose path is good" {
	all_down all
	wait_for 5 is_also 'last resort' 172.19.0.4
	answers "$VIP4" 10 | awk '{ n += $2 } END { exit n != 10 }'
}

@test "all down: drop, and pass" {
	all_down drop
	wait_for 5 is_also down 172.19.0.4
	wait_for 5 is_also down "$X4"
	rises no_backend on "$CLIENT" curl -s --max-time 1 "http://$VIP4/"
	sed -i 's/on-all-down: drop/on-all-down: pass/' "$FILE"
	run_signal HUP
	wait_for 5 rises no_backend_passed on "$CLIENT" curl -s --max-time 0.2 "http://$VIP4/"
}

# doctor STATE: what it says of whether backends answer
doctor() {
	lbr doctor -j -c "$FILE" | jq -e --arg state "$1" \
		'[.examinations[] | select(.examination == "answers").result] | index($state)' >/dev/null
}

@test "one that drains and is down: it drains, its flows move, and it drains again" {
	sed -i "s/address: $X4,/&  drain: true,/" "$FILE"
	run_begin "$FILE"
	run_signal HUP
	wait_for 5 are draining "$X4"
	lbr drain "$X6"
	lbr drain 172.19.0.4
	are draining "$X6" 172.19.0.4
	doctor ok
	bkd "$X" down >/dev/null
	wait_for 5 are_found 'path down' "$X4" "$X6"
	run_said "~ backend $X4 of 192.168.25.10:80/tcp draining -> draining and down, its flows move"
	are draining "$X4" "$X6"
	# What is known outlives a change.
	lbr undrain 172.19.0.4
	are_found 'path down' "$X4" "$X6"
	doctor ok
	bkd "$X" up >/dev/null
	wait_for 5 are_found up "$X4" "$X6"
	are draining "$X4" "$X6"
	# By hand, and not as the file says.
	lbr undrain "$X4"
	are up "$X4"
	bkd "$X" down >/dev/null
	wait_for 5 are_found 'path down' "$X4" "$X6"
	are down "$X4"
	doctor fail
	lbr undrain "$X6"
	lbr drain "$X4" | grep "~ backend $X4 of .* down, its flows move -> draining and down, its flows move, takes back"
	are draining "$X4"
	are down "$X6"
	bkd "$X" up >/dev/null
	# What was set while it was down holds.
	wait_for 5 are up "$X6"
	are draining "$X4"
	lbr undrain "$X4"
	bkd "$X" down >/dev/null
	wait_for 5 are down "$X4" "$X6"
	# Also that the file has its way again.
	lbr apply "$FILE"
	bkd "$X" up >/dev/null
	wait_for 5 are up "$X6"
	are draining "$X4"
}

skipped() { # at least so many checks, with a moment without files before each look
	local pid
	pid=$(<"$RUN.pid")
	prlimit --pid "$pid" --nofile=3:4096
	are up "$X4" "$X6" 172.19.0.4 2001:db8:19::4
	prlimit --pid "$pid" --nofile=1024:4096
	(($(metric lbr_check_skipped_total) >= $1))
}

@test "out of files: checks that are not made take nobody out" {
	run_begin "$FILE"
	wait_for 10 answered
	wait_for 20 skipped 40
	run ! run_said 'is down'
	are up "$X4" "$X6" 172.19.0.4 2001:db8:19::4
}

# A server of X, on port 8090: it does what the first words of the path say.
# What it was asked, all of it, is in its file `asked`; its process is $peculiar.
peculiar_begin() {
	on "$X" /usr/bin/python3 - "$VIP4" "$BATS_TEST_TMPDIR" >/dev/null 2>&1 3>&- <<-'EOF' &
		import os, socket, sys, threading

		vip, folder = sys.argv[1:]

		def chunked(text):
		    return b"".join(b"%x;a=b\r\n%s\r\n" % (len(c), c) for c in text) + b"0\r\n\r\n"

		def serve(c):
		    asked = b""
		    while b"\r\n\r\n" not in asked:
		        asked += c.recv(4096)
		    open(f"{folder}/asked", "ab").write(asked)
		    line = asked.split(b"\r\n")[0]
		    if not line.endswith(b" HTTP/1.1"):
		        c.sendall(b"HTTP/1.1 426 Upgrade Required\r\nConnection: close\r\n\r\n")
		    elif line.startswith(b"GET /chunks"):
		        c.sendall(b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\n"
		                  b"Transfer-Encoding: chunked\r\n\r\n" + chunked([b"all is f", b"ine here"]))
		        c.recv(1)  # it leaves the connection open
		    elif line.startswith(b"GET /length"):
		        c.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nall is fine")
		        c.recv(1)
		    elif line.startswith(b"GET /headers"):
		        c.sendall(b"HTTP/1.1 200 OK\r\n")
		        while True:
		            c.sendall(b"X-Endless: " + b"x" * 8192 + b"\r\n")
		    elif line.startswith(b"GET /endless"):
		        c.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
		        while True:
		            c.sendall(b"1\r\nx\r\n" * 1000)
		    elif line.startswith(b"GET /trickle"):
		        c.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
		        c.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
		        while True:
		            c.sendall(b"x")
		    c.close()

		def guarded(c):
		    try:
		        serve(c)
		    except OSError:
		        c.close()

		s = socket.socket()
		s.bind((vip, 8090))
		s.listen()
		open(f"{folder}/peculiar", "w").write(str(os.getpid()))
		while True:
		    threading.Thread(target=guarded, args=(s.accept()[0],), daemon=True).start()
	EOF
	wait_for 5 test -s "$BATS_TEST_TMPDIR/peculiar"
	peculiar=$(<"$BATS_TEST_TMPDIR/peculiar")
}

# asks PATH: the check of port 8090, that `fine` be in the answer
asks() {
	local check="type: http, path: /$1, body: fine, interval: 400ms, timeout: 200ms, rise: 1, fall: 1"
	sed -i "/port: 8090/d; /^services:/a\  - {vip: $VIP4, port: 8090, check: {$check}, backends: [{address: $X4}]}" "$FILE"
}

peculiar_is() { # "UP PATH APPLICATION WHY"
	look /status | jq -e --arg found "$1" 'any(.checks[];
		.port == 8090 and
		"\(.up) \(.path) \(.application) \(.why // "")" == $found)' >/dev/null
}

@test "http: asked and understood as HTTP/1.1; a body by its chunks, or by its length" {
	peculiar_begin
	asks chunks
	bkd "$X" apply "$FILE" >/dev/null
	run_begin "$FILE"
	run_signal HUP
	wait_for 5 peculiar_is 'true good good '
	grep -qx $'Host: 192.168.25.10:8090\r' "$BATS_TEST_TMPDIR/asked"
	grep -qx $'Connection: close\r' "$BATS_TEST_TMPDIR/asked"
	asks length
	run_signal HUP
	wait_for 5 peculiar_is 'false good bad status 200, another body'
	kill "$peculiar"
}

@test "http: a server that never ends is bad in time, and delays nothing" {
	local way
	peculiar_begin
	asks headers
	bkd "$X" apply "$FILE" >/dev/null
	run_begin "$FILE"
	for way in headers endless; do
		asks "$way"
		run_signal HUP
		wait_for 5 peculiar_is 'false good bad status 200, another body'
	done
	asks trickle
	run_signal HUP
	wait_for 5 peculiar_is 'false good bad no answer in time'
	run ! run_said '(:80|:7777)/.* is down'
	(($(run_memory) < 20000))
	kill "$peculiar"
}

@test "udp: an answer that comes in fragments" {
	local check='type: udp, send: hello, body: fine, interval: 200ms, timeout: 100ms, rise: 1, fall: 2'
	sed -i "/^services:/a\\  - {vip: $VIP4, port: 515, protocol: udp, check: {$check}, backends: [{address: $X4}]}\n  - {vip: '$VIP6', port: 515, protocol: udp, check: {$check}, backends: [{address: '$X6'}]}" "$FILE"
	on "$X" /usr/bin/python3 -c '
import os, select, socket, sys
sockets = []
for vip in sys.argv[1:3]:
    s = socket.socket(socket.AF_INET6 if ":" in vip else socket.AF_INET, socket.SOCK_DGRAM)
    s.bind((vip, 515))
    sockets.append(s)
open(sys.argv[3], "w").write(str(os.getpid()))
while True:
    for s in select.select(sockets, [], [])[0]:
        s.sendto(b"x" * 4000 + b"fine", s.recvfrom(99)[1])' \
		"$VIP4" "$VIP6" "$BATS_TEST_TMPDIR/large" >/dev/null 2>&1 3>&- &
	wait_for 5 test -s "$BATS_TEST_TMPDIR/large"
	bkd "$X" apply "$FILE" >/dev/null
	run_begin "$FILE"
	run_signal HUP
	wait_for 5 large 2
	kill "$(<"$BATS_TEST_TMPDIR/large")"
	wait_for 5 large 0
}

large() { # COUNT: so many of port 515 are good
	(($(look /status | jq '[.checks[] | select(.port == 515 and
		.up and .application == "good")] | length') == $1))
}

@test "where a namespace is forbidden it is said what is missing" {
	run -1 on "$LB" /usr/bin/python3 - LoadBalancer/lbr run -l none -c "$FILE" <<-'EOF'
		import ctypes, os, platform, struct, sys

		# unshare(2) is refused, as seccomp profiles of containers do.
		number = {"x86_64": 272, "aarch64": 97}[platform.machine()]
		program = b"".join(struct.pack("=HBBI", *row) for row in (
		    (0x20, 0, 0, 0),  # load the number of the call
		    (0x15, 0, 1, number),
		    (0x06, 0, 0, 0x00050001),  # errno: EPERM
		    (0x06, 0, 0, 0x7FFF0000)))  # allowed
		kept = ctypes.create_string_buffer(program)
		filters = struct.pack("@HP", 4, ctypes.addressof(kept))
		libc = ctypes.CDLL(None, use_errno=True)
		assert not libc.prctl(38, 1, 0, 0, 0)  # PR_SET_NO_NEW_PRIVS
		assert not libc.prctl(22, 2, filters, 0, 0)  # PR_SET_SECCOMP
		os.execv(sys.argv[1], sys.argv[1:])
	EOF
	[[ $output == *'lbr: cannot make a network namespace for health checks: unshare: Operation not permitted'* ]]
	[[ $output == *'CAP_SYS_ADMIN'*'unshare and setns'* ]]
}

# What this host shows of it, before and after: links, rules, routes, sysctls.
host_state() {
	# shellcheck disable=SC2016
	on "$LB" bash -c 'ip -o link | sed "s/^[0-9]*: //" | cut -d " " -f 1,2
		for family in -4 -6; do
			ip $family rule
			ip $family route show table all
		done
		grep -r . /proc/sys/net/ipv{4,6}/conf/ 2>/dev/null' | sed 's/ expires .*//' | sort
}

host_is_as_before() {
	host_state | diff "$BATS_TEST_TMPDIR/before" -
}

@test "what checks found outlives who checks; what they need does not, killed or not" {
	host_state >"$BATS_TEST_TMPDIR/before"
	run_begin "$FILE"
	on "$LB" ip link show lbr-check1 >/dev/null
	run ! on "$LB" ip link show lbr-check0
	wait_for 5 answered
	host_state | grep -v lbr-check1 | diff "$BATS_TEST_TMPDIR/before" -
	# Removed by somebody, the veth is made anew.
	on "$LB" ip link del lbr-check1
	wait_for 5 on "$LB" ip link show lbr-check1 >/dev/null
	wait_for 5 answered
	bkd "$X" down >/dev/null
	wait_for 5 are down "$X4" "$X6"
	run_signal KILL
	run_status
	wait_for 5 host_is_as_before
	lbr apply "$FILE"
	are down "$X4" "$X6"
	[[ $(answers "$VIP4" 10) == 'backend0y 10' ]]
	# Asked again, from the beginning.
	bkd "$X" up >/dev/null
	run_begin "$FILE"
	wait_for 5 are up "$X4" "$X6"
	run_end
	host_is_as_before
}

@test "what an older version left of its checks is removed" {
	host_state >"$BATS_TEST_TMPDIR/before"
	on "$LB" ip link add lbr-check0 type veth peer lbr-check1
	on "$LB" ip rule add fwmark 0x6c6272 pref 1 lookup 7103090
	on "$LB" ip -6 rule add fwmark 0x6c6272 pref 1 lookup 7103090
	run_begin "$FILE"
	wait_for 5 answered
	run_end
	host_is_as_before
}

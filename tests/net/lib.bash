# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# lib.bash - what the scenario tests say
#
# Each file builds a network of its own, with a suffix of its own, so files
# can run side by side. Nothing here sleeps for a time, but for aged: wait_for
# waits for a condition, and fails where it does not come.

# shellcheck disable=SC2034 # for the tests

ROOT=$(realpath "${BATS_TEST_DIRNAME:-.}/../..")
TOPO=$ROOT/topology/topo
LB=lbdsr0a CLIENT=curlybox01 ROUTER=router0a
BACKENDS=(backend0x backend0y)
# scapy would leave files in root's home, and python in the tree.
PYTHON=(env XDG_CACHE_HOME=/dev/null XDG_CONFIG_HOME=/dev/null /usr/bin/python3 -B)
# A health check whose verdict comes within 1.2 s. On a busy machine a healthy
# server's answer may take more than 0.1 s.
OFTEN='interval: 600ms, timeout: 300ms, rise: 1, fall: 2'
VIP4=192.168.25.10
VIP6=2001:db8:25::10
LAYOUT=$(awk '/#define L3DSR_LAYOUT/ { gsub(/"/, ""); print $3 }' \
	"$ROOT/common/core/abi.h")

# network [topo's options] [SCENARIO]: sets the network up, in setup_file
network() {
	export TOPO_RUN="t$$-$RANDOM"
	"$TOPO" up "$@" 3>&- # processes that stay running must not keep bats waiting
}

# for teardown_file
network_down() {
	"$TOPO" down
}

# networks_down NAME...: for teardown_file; takes down the networks whose suffix
# is in RUN_NAME, and no others
networks_down() {
	local name
	for name in "${@/#/RUN_}"; do
		[[ ! ${!name-} ]] || TOPO_RUN=${!name} network_down
	done
}

# on HOST CMD...
on() {
	"$TOPO" exec "$@"
}

lbr() {
	on "$LB" LoadBalancer/lbr "$@"
}

# bkd HOST VERB...
bkd() {
	on "$1" Backend/bkd "${@:2}"
}

# attach [MODE] [FILE]: attaches both programs on all hosts
attach() {
	local mode=${1:-generic} file=${2:-/etc/l3dsr/services.yaml} backend
	lbr up -m "$mode" -c "$file" >/dev/null
	for backend in "${BACKENDS[@]}"; do
		bkd "$backend" up -m "$mode" -c "$file" >/dev/null
	done
}

detach() {
	local backend
	lbr down >/dev/null
	for backend in "${BACKENDS[@]}"; do
		bkd "$backend" down >/dev/null
	done
}

# jq -e: fails if there is no input, as after a curl that failed; that of 1.6
# succeeds
jq() {
	[[ $1 == -e ]] || {
		command jq "$@"
		return
	}
	local said
	said=$(command jq "$@") || return
	[[ $said ]] || return 4
	echo "$said"
}

# since VERSION: the running kernel is at least that version
since() {
	[[ $(printf '%s\n' "$1" "$(uname -r)" | sort -V | head -n 1) == "$1" ]]
}

# wait_for SECONDS CMD...: until CMD succeeds. SECONDS is what a quiet machine
# needs at most; a busy or an emulated one gets PATIENCE times as long.
wait_for() {
	local end=$((SECONDS + $1 * ${PATIENCE:-3}))
	shift
	until "$@"; do
		((SECONDS < end)) || {
			echo "waited in vain for: $*" >&2
			return 1
		}
		read -rt 0.05 <> <(:) || :
	done
}

# within MILLISECONDS CMD...: CMD succeeds within a time that the product
# promises; prints how long it took
within() {
	local limit=$1 began=${EPOCHREALTIME/./} took
	shift
	until "$@"; do
		took=$(((${EPOCHREALTIME/./} - began) / 1000))
		((took < limit)) || {
			echo "not within $limit ms: $*" >&2
			return 1
		}
		read -rt 0.01 <> <(:) || :
	done
	took=$(((${EPOCHREALTIME/./} - began) / 1000))
	echo "$took ms: $*"
}

# aged: waits until xdp_lbr remembers no older answer of the FIB. A change holds
# for all packets next-hop-age later (100 ms). This is the only time that tests
# wait for, because the product promises it.
aged() {
	local now _
	read -r now _ </proc/uptime # /proc/uptime has two decimals
	wait_for 5 over_by "$((10#${now/./} + 15))"
}

over_by() { # DATE
	local now _
	read -r now _ </proc/uptime
	((10#${now/./} > $1))
}

# url VIP [PATH]
url() {
	if [[ $1 == *:* ]]; then echo "http://[$1]/${2-}"; else echo "http://$1/${2-}"; fi
}

# get VIP [curl's options]: one request from the client; prints the answer
get() {
	on "$CLIENT" curl -sS --max-time 5 "${@:2}" "$(url "$1")"
}

# reason NAME [HOST]: how often xdp_lbr has counted it; with HOST, xdp_bkd there
reason() {
	local show
	if [[ ${2-} ]]; then show=$(bkd "$2" show -j reasons); else show=$(lbr show -j reasons); fi
	jq -r --arg name "$1" '.reasons[] | select(.reason == $name).packets' <<<"$show"
}

# rose NAME: by how much it has risen since `before`, a `show -j reasons`, was
# taken
rose() {
	echo $(($(reason "$1") - $(jq -r --arg name "$1" \
		'.reasons[] | select(.reason == $name).packets' <<<"$before")))
}

# rises NAME CMD...: CMD makes that counter of xdp_lbr rise
rises() {
	local name=$1 before
	before=$(reason "$name")
	shift
	"$@" || :
	(($(reason "$name") > before)) || {
		echo "$name did not rise (at $before)" >&2
		return 1
	}
}

# syns_again HOST: how many SYNs it has sent again, a second after the first
syns_again() {
	on "$1" nstat -asz TcpExtTCPSynRetrans |
		awk '$1 == "TcpExtTCPSynRetrans" { print $2 }'
}

# answers VIP COUNT [curl's options]: COUNT new connections; prints "NAME COUNT"
# lines
answers() {
	on "$CLIENT" curl -sS --max-time 5 -H 'Connection: close' "${@:3}" \
		"$(url "$1" "[1-$2]")" |
		awk -F': ' '$1 == "Server name" { n[$2]++ }
			END { for (name in n) print name, n[name] }'
}

# services FILE [SED-EXPR...]: writes the scenario's file, changed by sed, to
# FILE
services() {
	local expressions=() e
	for e in "${@:2}"; do expressions+=(-e "$e"); done
	sed "${expressions[@]}" -e '' "$ROOT/topology/l3dsr/services.yaml" >"$1"
}

# echoes VIP COUNT [SOURCE]: datagrams to UDP port 7777, each from another port; prints
# "NAME COUNT" lines. Only what comes from the VIP counts as an answer.
echoes() {
	on "$CLIENT" /usr/bin/python3 - "$1" "$2" "${3-}" <<-'EOF'
		import collections, socket, sys

		vip, count = sys.argv[1], int(sys.argv[2])
		family = socket.AF_INET6 if ":" in vip else socket.AF_INET
		sockets = [socket.socket(family, socket.SOCK_DGRAM) for _ in range(count)]
		names = collections.Counter()
		for i, s in enumerate(sockets):
		    s.settimeout(2)
		    s.bind((sys.argv[3], 0))
		    s.sendto(b"%d" % i, (vip, 7777))
		for i, s in enumerate(sockets):
		    try:
		        data, sender = s.recvfrom(100)
		    except OSError:
		        continue
		    name, _, said = data.partition(b" ")
		    if sender[:2] == (vip, 7777) and said == b"%d" % i:
		        names[name.decode()] += 1
		for name, n in names.items():
		    print(name, n)
	EOF
}

# shared COUNT LOW HIGH: the lines "NAME COUNT" of stdin name both backends
# and nobody else, COUNT in all, each from LOW to HIGH of them
shared() {
	local name n all=0 said
	said=$(cat)
	echo "${said//$'\n'/, }"
	while read -r name n; do
		[[ " ${BACKENDS[*]} " == *" $name "* ]] || return 1
		((n >= $2 && n <= $3)) || return 1
		all=$((all + n))
	done <<<"$said"
	(($(wc -l <<<"$said") == ${#BACKENDS[@]} && all == $1))
}

# nginx_conf NAME: of a further nginx below /run/nginx; its servers come on stdin
nginx_conf() {
	cat <<-END
		pid $1.pid;
		events {}
		http {
			access_log off;
			include $ROOT/topology/l3dsr/nginx-temp.conf;
	END
	cat
	echo '}'
}

# sniff NAME HOST IFACE [FILTER]: starts tcpdump there, until sniff_end
sniff() {
	local out=$BATS_TEST_TMPDIR/sniff.$1
	rm -f "$out" "$out".* # left by an earlier sniff
	# shellcheck disable=SC2016
	on "$2" bash -c 'echo $$ >"$1"
		exec tcpdump -i "$2" -nvl --immediate-mode -Z root "${@:3}"' \
		- "$out.pid" "$3" "${@:4}" >"$out" 2>"$out.err" 3>&- &
	wait_for 5 grep -q 'listening on' "$out.err"
}

# sniffed NAME: prints what tcpdump saw; seen NAME REGEX: whether it saw that
sniffed() {
	# one line for each packet
	awk '/^[^ \t]/ && NR > 1 { print "" }
		{ printf "%s", $0 }
		END { if (NR) print "" }' "$BATS_TEST_TMPDIR/sniff.$1"
}

seen() {
	sniffed "$1" | grep -iE -- "$2"
}

# for teardown
sniff_end() {
	local pid
	for pid in "$BATS_TEST_TMPDIR"/sniff.*.pid; do
		[[ ! -e $pid ]] || kill "$(<"$pid")" 2>/dev/null || :
	done
}

# balanced VIP COUNT LOW HIGH: of COUNT connections none fails, and each backend
# answers LOW to HIGH
balanced() {
	answers "$1" "$2" --fail-early | shared "${@:2}"
}

#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# What `make install` puts where, what of it systemd thinks, with which
# capabilities the tools get along, and what bash completes.

bats_require_minimum_version 1.5.0
load lib
load run
load status

setup_file() {
	local host
	network
	make -s -C "$ROOT" install PREFIX="$BATS_FILE_TMPDIR/usr" >/dev/null
	# A file owned by root, as in /etc: without CAP_DAC_OVERRIDE, root could
	# not follow a link into a home directory.
	for host in "$LB" "${BACKENDS[@]}"; do
		on "$host" cp --remove-destination topology/l3dsr/services.yaml /etc/l3dsr/
	done
}

teardown_file() {
	network_down
}

UNITS=lib/systemd/system

@test "make install and uninstall: everything is below DESTDIR and PREFIX, and nothing is left" {
	local to=$BATS_TEST_TMPDIR/to
	make -s -C "$ROOT" install DESTDIR="$to" PREFIX=/opt/lb >/dev/null
	(cd "$to" && find . ! -type d | sort) >"$BATS_TEST_TMPDIR/files"
	diff "$BATS_TEST_TMPDIR/files" - <<-'END'
		./opt/lb/lib/systemd/system/bkd-attached@.service
		./opt/lb/lib/systemd/system/bkd-run.service
		./opt/lb/lib/systemd/system/bkd@.service
		./opt/lb/lib/systemd/system/lbr-attached.service
		./opt/lb/lib/systemd/system/lbr-run.service
		./opt/lb/lib/systemd/system/lbr.service
		./opt/lb/sbin/bkd
		./opt/lb/sbin/lbr
		./opt/lb/share/bash-completion/completions/bkd
		./opt/lb/share/bash-completion/completions/lbr
		./opt/lb/share/doc/l3dsr/services.yaml
		./opt/lb/share/man/man5/l3dsr.yaml.5
		./opt/lb/share/man/man8/bkd.8
		./opt/lb/share/man/man8/lbr.8
	END
	"$to/opt/lb/sbin/lbr" check "$to/opt/lb/share/doc/l3dsr/services.yaml"
	# shellcheck disable=SC2016 # systemd's
	grep -qx 'ExecStart=/opt/lb/sbin/lbr up $OPTIONS' "$to/opt/lb/$UNITS/lbr.service"
	run ! grep -r @ "$to/opt/lb/$UNITS/lbr.service" -e '@[A-Z]*@'
	make -s -C "$ROOT" uninstall DESTDIR="$to" PREFIX=/opt/lb
	[[ ! $(find "$to" ! -type d) ]]
}

@test "the units: systemd finds nothing wrong, and little exposed" {
	local unit
	command -v systemd-analyze >/dev/null || skip "no systemd-analyze"
	for unit in lbr lbr-attached lbr-run bkd@ bkd-attached@ bkd-run; do
		run -0 systemd-analyze verify --man=no \
			"$BATS_FILE_TMPDIR/usr/$UNITS/$unit.service"
		[[ ! $output ]]
		systemd-analyze security --offline=yes --threshold=30 --no-pager \
			"$BATS_FILE_TMPDIR/usr/$UNITS/$unit.service" >/dev/null
	done
	sed 's/^ExecReload=/ExecRelaod=/; /^Protect/d; /^Capab/d' \
		"$BATS_FILE_TMPDIR/usr/$UNITS/lbr.service" >"$BATS_TEST_TMPDIR/lbr.service"
	run systemd-analyze verify --man=no "$BATS_TEST_TMPDIR/lbr.service"
	[[ $output == *ExecRelaod* ]]
	run ! systemd-analyze security --offline=yes --threshold=30 --no-pager \
		"$BATS_TEST_TMPDIR/lbr.service"
}

# commands UNIT KEY: the unit's command for KEY, without the prefix of the path
commands() {
	# shellcheck disable=SC2016 # systemd's
	sed -n "s,^$2=$BATS_FILE_TMPDIR/usr/,$BATS_FILE_TMPDIR/usr/,p" \
		"$BATS_FILE_TMPDIR/usr/$UNITS/$1" | sed 's/%I/eth0/; s/ $OPTIONS//'
}

# bounded HOST WITHOUT CMD...: runs CMD with the unit's capabilities except
# WITHOUT
bounded() {
	local capabilities
	capabilities=$(sed -n 's/^CapabilityBoundingSet=//p' \
		"$BATS_FILE_TMPDIR/usr/$UNITS/lbr.service" | tr ' ' '\n' |
		grep -vx "CAP_$2" | sed 's/CAP_/+/' | tr 'A-Z\n' 'a-z,')
	on "$1" setpriv --bounding-set "-all,${capabilities%,}" --inh-caps -all "${@:3}"
}

@test "the units' commands need all of the units' capabilities, and no more" {
	local host unit key
	for host in "$LB lbr.service" "backend0x bkd@.service" "backend0y bkd@.service"; do
		read -r host unit <<<"$host"
		for key in ExecStart ExecReload; do
			# shellcheck disable=SC2046
			bounded "$host" none $(commands "$unit" $key)
		done
	done
	get "$VIP4"
	for host in "$LB lbr-attached" "backend0x bkd-attached@" "backend0y bkd-attached@"; do
		read -r host unit <<<"$host"
		# shellcheck disable=SC2046
		bounded "$host" none $(commands "$unit.service" ExecStop)
		[[ ! $(on "$host" ls /sys/fs/bpf/l3dsr 2>/dev/null) ]]
	done
	for key in NET_ADMIN SYS_ADMIN; do
		# shellcheck disable=SC2046
		run -1 bounded "$LB" $key $(commands lbr.service ExecStart)
		echo "without $key: $output"
	done
}

# run_bounded UNIT FILE: runs the unit's command with the unit's capabilities
run_bounded() {
	local capabilities
	capabilities=$(sed -n 's/^CapabilityBoundingSet=//p' \
		"$BATS_FILE_TMPDIR/usr/$UNITS/$1" | tr ' ' ',' | sed 's/CAP_/+/g')
	run_begin "$2" setpriv --bounding-set "-all,${capabilities,,}" --inh-caps -all
	grep -qx 'RestrictAddressFamilies=AF_INET AF_INET6' "$BATS_FILE_TMPDIR/usr/$UNITS/$1"
}

down() { # ADDRESS: that backend of the web service is down
	lbr show -j backends | jq -e --arg address "$1" '.backends[0:2][] |
		select(.backend == $address).state == "down"' >/dev/null
}

@test "lbr run: checks and serves its page with the unit's capabilities" {
	local file=$BATS_TEST_TMPDIR/checked.yaml
	services "$file" "0,/protocol: tcp/s//&\n    check: {type: http, $OFTEN}/"
	attach generic "$file"
	run_bounded lbr-run.service "$file"
	wait_for 10 answered
	run ! down 172.19.0.3
	bkd backend0x down
	wait_for 10 down 172.19.0.3
	on "$LB" curl -sSf -o /dev/null http://127.0.0.1:8404/
	run_end
	lbr down
	bkd backend0y down
}

@test "bkd run: applies and serves its page with the unit's capabilities" {
	local file=$BATS_TEST_TMPDIR/services.yaml
	services "$file"
	run_of backend0x
	bkd backend0x up -c "$file"
	sed -i "s/$VIP4/192.168.25.11/" "$file"
	run_bounded bkd-run.service "$file"
	run_signal HUP
	wait_for 5 run_said '^~ restore 172.19.0.3:80/tcp to 192.168.25.11'
	# It is said before the host is changed.
	# shellcheck disable=SC2016
	wait_for 5 eval '[[ $(on backend0x ip address show dev lo) == *192.168.25.11/32* ]]'
	on backend0x curl -sSf -o /dev/null http://127.0.0.1:8405/
	run_end
	bkd backend0x down
}

@test "down -i: puts back what was set for that interface, and nothing else" {
	local conf=/proc/sys/net/ipv4/conf
	lbr down
	on "$LB" ip link add spare0 type veth peer name spare1
	on "$LB" ip link set dev spare0 up
	on "$LB" ip link set dev spare1 up
	lbr up -i eth0 -i spare0
	[[ $(on "$LB" cat $conf/{eth0,spare0}/forwarding) == $'1\n1' ]]
	run -0 lbr down -i spare0
	[[ $output == *"spare0: xdp_lbr detached"*"conf/spare0/forwarding: 1 -> 0"* ]]
	[[ $(on "$LB" cat $conf/{eth0,spare0}/forwarding) == $'1\n0' ]]
	[[ $output != *"/eth0/"* ]]
	on "$LB" ip link del spare0
	lbr down
	[[ $(on "$LB" cat $conf/eth0/forwarding) == 0 ]]
}

@test "down -i: from one interface only; from the last: all is put back" {
	bkd "$ROUTER" down
	services "$BATS_TEST_TMPDIR/router.yaml" 's/172.19.0.3/172.17.0.3/'
	bkd "$ROUTER" up -i eth0 -i eth1 -c "$BATS_TEST_TMPDIR/router.yaml"
	run -0 bkd "$ROUTER" down -i eth0
	[[ $output == "eth0: xdp_bkd detached" ]]
	[[ $(bkd "$ROUTER" show -j interfaces | jq -r '.interfaces[].interface') == eth1 ]]
	[[ $(on "$ROUTER" cat /proc/sys/net/ipv4/conf/all/arp_ignore) == 1 ]]
	bkd "$ROUTER" down -i eth1
	run -1 bkd "$ROUTER" show
	[[ $(on "$ROUTER" cat /proc/sys/net/ipv4/conf/all/arp_ignore) == 0 ]]
}

# completed TOOL WORD...: the words that bash offers for the last word
completed() {
	bash -c 'source "$1"
		COMP_WORDS=("${@:2}") COMP_CWORD=$(($# - 2))
		"_$2" "$2" "${*: -1}" "${COMP_WORDS[COMP_CWORD - 1]}"
		printf "%s\n" "${COMPREPLY[@]}"' - \
		"$BATS_FILE_TMPDIR/usr/share/bash-completion/completions/$1" "$@"
}

@test "bash completes every verb, option and choice that --help names" {
	local tool verb
	for tool in lbr bkd; do
		diff <(completed "$tool" '' | grep -v help | grep -v version | sort) \
			<("$BATS_FILE_TMPDIR/usr/sbin/$tool" help |
				sed -nE "s/^  $tool ([a-z]+).*/\1/p" | sort)
		for verb in $(completed "$tool" '' | grep -v '^-' | grep -v help); do
			diff <(completed "$tool" "$verb" - | sort) \
				<("$BATS_FILE_TMPDIR/usr/sbin/$tool" "$verb" --help |
					sed -nE 's/^  (-.), (--[a-z-]*).*/\1\n\2/p' | sort)
		done
	done
	[[ $(completed lbr up -m '' | xargs) == "auto native generic" ]]
	[[ $(completed lbr show f) == flows ]]
	[[ $(completed lbr up -i l) == lo ]]
	[[ $(completed lbr apply "$ROOT/READ") == "$ROOT/README.md" ]]
}

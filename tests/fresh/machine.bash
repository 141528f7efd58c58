# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# machine.bash - a machine as its owner got it, and what remains on it
#
# One machine at a time, whose disk is $disk. It has its own processes, mounts
# and host name, and uses this machine's network: apt needs one.

# shellcheck disable=SC2034,SC2154 # shared with `run`

user=dev
booter=''  # waits for the first process; everything there ends with that
init=''    # the first process's pid, as this machine counts
shell=()   # "${shell[@]}" CMD: in the user's home

# wait_for SECONDS CMD...: until CMD succeeds
wait_for() {
	local end=$((SECONDS + $1))
	shift
	until "$@"; do
		((SECONDS < end)) || return 1
		read -rt 0.1 <> <(:) || :
	done
}

# fetch_disk TAR SUITE MIRROR SECURITY KEYRING: the smallest Debian with git,
# make, what these need, and procps, which every machine has but few containers
# do, and which brings an init script
fetch_disk() {
	local new=$work/new
	debootstrap --variant=minbase --include=git,make,ca-certificates,sudo,procps \
		--keyring="/usr/share/keyrings/$5.gpg" "$2" "$new" "$3" &&
		cat >"$new/etc/apt/sources.list" <<-SOURCES &&
			deb $3 $2 main
			deb $3 $2-updates main
			deb $4 $2-security main
		SOURCES
		tar -C "$new" -cf "$1.part" . && mv "$1.part" "$1"
	local status=$?
	rm -rf --one-file-system "$new" "$1.part"
	return $status
}

# make_disk TAR REPOSITORY: with a user who may use sudo, and the repository's
# HEAD
make_disk() {
	mkdir "$disk" && tar -C "$disk" -xf "$1" || return
	useradd --root "$disk" --create-home --shell /bin/bash "$user"
	echo "$user ALL=(ALL) NOPASSWD: ALL" >"$disk/etc/sudoers.d/$user"
	echo "127.0.0.1 localhost fresh" >"$disk/etc/hosts"
	cat /etc/resolv.conf >"$disk/etc/resolv.conf"
	# The new machine reaches a mirror as this machine's apt does (through a
	# proxy, say).
	apt-config dump Acquire | grep -E '^Acquire::(https?|Check-|Retries)' \
		>"$disk/etc/apt/apt.conf.d/50fresh"
	# It will not live long enough to lose power.
	echo force-unsafe-io >"$disk/etc/dpkg/dpkg.cfg.d/fresh"
	# Records which services packages want to start, and lets none start.
	cat >"$disk/usr/sbin/policy-rc.d" <<-'POLICY'
		#!/bin/sh
		echo "$*" >>/var/log/policy-rc.d
		exit 101
	POLICY
	chmod 755 "$disk/usr/sbin/policy-rc.d"
	: >"$disk/var/log/policy-rc.d"
	git -C "$2" bundle create -q "$disk/repository" HEAD
}

boot() {
	setpriv --pdeathsig KILL unshare --mount --propagation private --uts \
		--ipc --pid --fork --kill-child "$here/init" "$disk" fresh &
	booter=$!
	wait_for 10 booted || return 1
	shell=(nsenter --target "$init" --mount --uts --ipc --pid --root
		--wdns="/home/$user" -- env -i HOME="/home/$user" USER="$user"
		LOGNAME="$user" PATH=/usr/local/bin:/usr/bin:/bin TERM=dumb
		setpriv --reuid="$user" --regid="$user" --init-groups bash -c)
}

booted() {
	init=$(<"/proc/$booter/task/$booter/children") && init=${init% } &&
		[[ $init && -e /proc/$init/root/run/.booted ]]
}

discard() {
	[[ ! $booter ]] || {
		kill -KILL "$booter"
		wait "$booter"
	} 2>/dev/null
	booter=''
	rm -rf --one-file-system "$disk"
}

# state: all that a command should leave unchanged, one item a line
state() (
	cd "/proc/$init/root" || exit
	find -L /proc/[0-9]*/ns/pid -samefile "/proc/$init/ns/pid" 2>/dev/null |
		while IFS=/ read -r _ _ pid _; do
			echo "process $(tr '\0' ' ' <"/proc/$pid/cmdline")"
		done
	awk '{ print "mount " $5 }' "/proc/$init/mountinfo"
	# except what sudo and adduser keep there
	find run/ tmp var/tmp dev/shm sys/fs/bpf ! -path 'run/sudo*' \
		! -path run/adduser -printf 'file /%p\n'
	ip -o link | sed 's/ state .*//; s/^/link /'
	ip -o address | sed 's/ valid_lft.*//; s/^/address /'
	{ ip route show table all && ip -6 route show table all; } |
		sed 's/ expires .*//; s/^/route /'
	{ ip rule && ip -6 rule; } | sed 's/^/rule /'
	! command -v nft >/dev/null || nft list ruleset | sed 's/^/nft /'
	sysctl -ae 2>/dev/null | grep -E '^(net|kernel|vm)\.' |
		grep -vE '_count|random\.|pty\.nr|ns_last_pid|_watches|hung_task|neigh\.' |
		sed 's/^/sysctl /'
)

# enabled: the units and init scripts that the next boot would start
enabled() (
	cd "$disk" && find etc/systemd etc/rc?.d -type l 2>/dev/null
)

# files: all files of the disk, except the user's own and places meant for
# temporary files
files() (
	cd "$disk" && find . -xdev \( -path ./tmp -o -path "./home/$user" \) -prune \
		-o -printf '%P %y %m %U:%G %l' \
		\( ! -type f -o -printf ' %s bytes of %T+' \) -printf '\n'
)

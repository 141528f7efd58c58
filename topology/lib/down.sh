# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Taking down whatever there is, from a complete network to the first file of
# one. Also home of the lock: one `up` or `down` of a run at a time.
#
# No bare `return` here: within a trap it returns what came before the trap.

# The lock is the state directory itself, so that no lock file stays behind; the
# directory may be gone when we get the lock. Returns with signals ignored:
# whoever has the lock has something to clean up, and decides when signals may
# come again.
lock() {
	while :; do
		trap '' INT TERM HUP
		mkdir -p "$STATE"
		if exec 9<"$STATE" && flock -n 9; then
			[[ $STATE -ef /proc/self/fd/9 ]] && return 0
		else
			trap - INT TERM HUP
			flock 9
		fi
	done
}

# eventually SECONDS CMD...: until CMD succeeds
eventually() {
	local deadline=$((${EPOCHREALTIME/[.,]/} + $1 * 1000000))
	shift
	until "$@"; do
		((${EPOCHREALTIME/[.,]/} < deadline)) || return 1
		sleep 0.01
	done
}

take_down() {
	local h
	rm -f "$STATE/complete"
	end_processes
	for h in "$STATE"/ns/*; do
		h=${h##*/}
		[[ $h == "$WIRES" ]] || remove_host "$h"
	done
	# The kernel removes namespaces later, and a closed TCP connection that
	# still waits for an answer keeps one for minutes. Once the ports of the
	# bridges are gone, so are their other ends and the programs there.
	remove_ports
	if ! eventually 20 no_ports; then
		echo "topo: something holds on to a host's namespace:" \
			"its interfaces are still there" >&2
	fi
	remove_host "$WIRES"
	remove_names
	umount -l "$STATE/ns" 2>/dev/null || true
	rm -rf "$STATE"
}

remove_ports() {
	local ns
	ns=$(netns "$WIRES")
	[[ ! -e $STATE/ns/$WIRES/net ]] ||
		ip -n "$ns" -o link show type veth 2>/dev/null |
		awk -F': |@' '{ print "link delete dev " $2 }' |
			ip -n "$ns" -force -batch - 2>/dev/null || true
}

no_ports() {
	[[ ! -e $STATE/ns/$WIRES/net ]] ||
		[[ ! $(ip -n "$(netns "$WIRES")" link show type veth 2>/dev/null) ]]
}

# Another run's hosts have copies of our mounts; removing the file removes these, too.
remove_host() { # HOST
	local f
	# otherwise its name is not ours either (`up` may have failed because
	# the name was taken)
	[[ -d $STATE/ns/$1 ]] || return 0
	for f in "$STATE/ns/$1"/{net,mnt,uts} "/run/netns/$(netns "$1")"; do
		umount -l "$f" 2>/dev/null || true
		rm -f "$f"
	done
	rm -rf "${STATE:?}/ns/$1"
}

# See reserve_names; the last run that ends removes the rest.
remove_names() (
	local name
	exec 8</run
	flock 8
	while read -r name; do
		umount -l "/run/netns/$name" 2>/dev/null || true
		rm -f "/run/netns/$name"
	done < <(cat "$STATE/names" 2>/dev/null)
	[[ $(findmnt -no SOURCE /run/netns) == l3dsr-topo ]] || return 0
	local left=(/run/netns/*)
	((${#left[@]})) || { umount /run/netns && rmdir /run/netns; }
)

# inside: the processes in any of our namespaces
inside() {
	local ours
	# An nsfs mount's root reads like the link in /proc/PID/ns: net:[4026...].
	# Never the machine's own, whatever an interrupted unshare(1) has bound.
	ours=$(awk -v dir="$STATE/ns/" \
		'index($5, dir) == 1 && / - nsfs / { print $4 " " }' \
		/proc/self/mountinfo | grep -vF "$(readlink /proc/self/ns/{net,mnt,uts})" ||
		true)
	[[ ! $ours ]] || find /proc/[0-9]*/ns -maxdepth 1 -printf '%l %h\n' \
		2>/dev/null | grep -F "$ours" | grep -o '[0-9]*/ns$' |
		cut -d/ -f1 | sort -u || true
}

# nobody_after SIGNAL: sends it to all processes there, including new ones;
# succeeds when there are none left
nobody_after() {
	mapfile -t pids < <(inside)
	((${#pids[@]} == 0)) && return 0
	kill -s "$1" "${pids[@]}" 2>/dev/null || true
	return 1
}

end_processes() {
	local sig pids
	for sig in TERM KILL; do
		eventually 3 nobody_after "$sig" && return 0
	done
	echo "topo: these processes do not end: ${pids[*]}" >&2
}

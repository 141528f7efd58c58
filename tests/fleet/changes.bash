# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# changes.bash - one row: the files of its change, who gets them when, and who
# dies. $change, $method, $late, $memory, $family and $mode are the row's.
# A row as `control` is the same without second chance.

# shellcheck disable=SC2154 # the row's
# shellcheck disable=SC2034 # for run.bash and lib.bash

DYING=backend0w DYING_LAST=6
# the last number of each backend's address
declare -A LAST=([backend0x]=3 [backend0y]=4 [backend0z]=5 [backend0w]=6
	[backend0u]=7 [backend0v]=8)
# both load balancers; the second one has a change later
PAIR=(lbdsr0a lbdsr0b)

# file NAME KEYS BACKEND...: writes a file with one service. A backend is the last
# number of its address, and its keys.
file() {
	local vip=$VIP4 prefix=172.19.0. row
	[[ $family == IPv4 ]] || vip=$VIP6 prefix=2001:db8:19::
	[[ $method != dscp ]] || set -- "$1" "dscp: 10, $2" "${@:3}"
	{
		cat <<-END
			handshake-grace: 0s
			lb-sources: [172.17.0.0/16, '2001:db8:17::/64']
			services:
			- {vip: '$vip', port: 80, flows: $memory, forward: $method, $2 backends: [
		END
		for row in "${@:3}"; do
			echo "    {address: '$prefix${row%%,*}'${row#"${row%%,*}"}},"
		done
		echo "  ]}"
	} >"$dir/$1"
}

# pools KIND: sets the backends $before, and $after the change in its first step; of
# a control, the same without states
pools() {
	local staged=() plain=()
	before=(3 4 5 6 7)
	case $change in
	added)
		staged=(3 4 5 6 7 '8, state: filling')
		plain=(3 4 5 6 7 8)
		;;
	drained)
		staged=('3, state: draining' 4 5 6 7)
		plain=(4 5 6 7)
		;;
	returns)
		before=('3, state: draining' 4 5 6 7)
		staged=('3, state: filling' 4 5 6 7)
		plain=(3 4 5 6 7)
		[[ $1 != control ]] || before=(4 5 6 7)
		;;
	heavier)
		staged=('3, weight: 4, weight-before: 1' 4 5 6 7)
		plain=('3, weight: 4' 4 5 6 7)
		;;
	lighter)
		before=('3, weight: 4' 4 5 6 7)
		staged=('3, weight: 1, weight-before: 4' 4 5 6 7)
		plain=(3 4 5 6 7)
		;;
	backend-dies | lb-dies)
		staged=('3, state: draining' 4 5 6 7 '8, state: filling')
		plain=(4 5 6 7 8)
		;;
	*) staged=("${before[@]}") plain=("${before[@]}") ;;
	esac
	after=("${staged[@]}")
	[[ $1 != control ]] || after=("${plain[@]}")
}

# files KIND: writes the files `before` and `after`
files() {
	local before after old='' new='' was=''
	pools "$1"
	case $change in
	table-size)
		new='table-size: 131071, ' was='was: {table-size: 65537}, '
		;;
	scheduler)
		old='scheduler: source-hash, ' was='was: {scheduler: source-hash}, '
		;;
	esac
	if checked; then
		new='check: {type: http, path: /files/health, interval: 600ms, timeout: 300ms, rise: 2, fall: 2}, '
		[[ $1 == control ]] || new+='second-chance: always, '
		old=$new
	fi
	[[ $1 == control ]] || new+=$was
	file before "$old" "${before[@]}"
	file after "$new" "${after[@]}"
}

# checked: `lbr run` checks the backends
checked() {
	[[ $change == @(backend-dies|application-down|path-down) ]]
}

# stops_for SECONDS: nothing is waited for, but the time in which a load balancer
# is late
stops_for() {
	[[ $1 == 0 ]] || read -rt "$1" <> <(:) || :
}

# gives FILE LB...: the file to load balancers; a control says that it knows
gives() {
	local name now=()
	[[ $kind != control || $memory == remember ]] || now=(--now)
	for name in "${@:2}"; do
		cp "$dir/$1" "$dir/$name"
		lb "$name" apply "${now[@]}" "$dir/$name" >/dev/null
		! checked || { LB=$name run_of "$name" && run_signal HUP; }
	done
}

# starts FILE LB: with an empty flow table and, if backends are checked, `lbr
# run`, which finds all backends as they are
starts() {
	cp "$dir/$1" "$dir/$2"
	LB=$2 run_of "$2"
	if checked && [[ -e $RUN.pid ]]; then
		run_signal TERM
		run_status >/dev/null
	fi
	lbs_begin "$dir/$2" "$2"
	! checked || run_begin "$dir/$2"
}

# is LB LAST FIELD WORD: in `lbr show backends`
is() {
	[[ $(lb "$1" show -j backends | jq -r --arg field "$3" \
		"[.backends[] | select((.backend | test(\"[.:]$2\$\")) and .state != \"removing\")] | .[0][\$field]") == "$4" ]]
}

# all_tell LAST FIELD WORD LB...: these load balancers do
all_tell() {
	local name
	for name in "${@:4}"; do
		wait_for 20 is "$name" "$1" "$2" "$3"
	done
}

# take_over BY FROM: the wire of one is cut, and another gets all its flows. One
# that checks its backends would find them dead: it loses its flows only.
take_over() {
	if checked; then spread "$1"; else dies "$2" "$1"; fi
	advanced_all
}

advanced_all() {
	tell advance >/dev/null
}

# comes_back LB: with nothing remembered, it takes all flows
comes_back() {
	starts after "$1"
	returns "$1"
	case $change in
	backend-dies) all_tell $DYING_LAST accepts none "$1" ;;
	*-down) all_tell $DYING_LAST state up "$1" ;;
	esac
	spread "$1"
	advanced_all
	advanced_all
}

# more: a quarter of the connections begins when the change is half done
more() {
	[[ $(tell "more $((FLOWS / 4))") == *" opened" ]]
}

# listed FILE BACKEND
listed() {
	grep -q "[.:]${LAST[$2]}'" "$dir/$1"
}

# takes FILE BACKEND...: those that have no file yet begin with it
takes() {
	local name
	for name in "${@:2}"; do
		if listed before "$name"; then
			bkd "$name" apply "$dir/$1" >/dev/null
		elif listed "$1" "$name"; then
			bkd "$name" up -m "$mode" -c "$dir/$1" >/dev/null
		fi
	done
}

# the_pool_changes: a newcomer first, then the other backends
the_pool_changes() {
	takes after backend0v backend0y backend0z backend0w
	[[ $change != lb-dies ]] || dies lbdsr0b lbdsr0a
	takes after backend0u backend0x
	if [[ $change == lb-dies ]]; then
		advanced_all
		stops_for "$late"
		gives after lbdsr0a
		more
		comes_back lbdsr0b
		take_over lbdsr0a lbdsr0b
		return
	fi
	gives after lbdsr0a
	more
	[[ $change != backend-dies ]] || {
		on wires ip link set "$DYING-eth0" down
		all_tell $DYING_LAST accepts none "${PAIR[@]}"
	}
	stops_for "$late"
	# One that is late when it takes over does not ask those behind a dead backend.
	[[ $late != 0 && $change != backend-dies ]] || gives after lbdsr0b
	take_over lbdsr0b lbdsr0a
	[[ $late == 0 || $change == backend-dies ]] || gives after lbdsr0b
	comes_back lbdsr0a
}

application() { # fails | works
	if [[ $1 == works ]]; then
		on "$DYING" touch /run/nginx/files/health
	else
		on "$DYING" rm /run/nginx/files/health
	fi
}

path() { # fails | works
	if [[ $1 == works ]]; then
		bkd "$DYING" up -m "$mode" -c "$dir/after" >/dev/null
	else
		bkd "$DYING" down >/dev/null
	fi
}

# a_check_fails WHAT: for 5 s; the second load balancer's checks stand still for
# so long as it is late
a_check_fails() {
	local run=$dir/run.lbdsr0b.pid
	[[ $late == 0 ]] || kill -STOP "$(<"$run")"
	"$1" fails
	all_tell $DYING_LAST state down lbdsr0a
	more
	stops_for $((late < 5 ? late : 5))
	((late >= 5)) || kill -CONT "$(<"$run")"
	stops_for $((late < 5 ? 5 - late : 0))
	"$1" works
	stops_for $((late < 5 ? 0 : late - 5))
	kill -CONT "$(<"$run")"
	all_tell $DYING_LAST state up "${PAIR[@]}"
	advanced_all
	take_over lbdsr0b lbdsr0a
	comes_back lbdsr0a
}

# mended: what an earlier row has broken
mended() {
	local name
	run_end >/dev/null
	rm -f "$dir"/run.*
	for name in "$DYING" "${PAIR[@]}"; do
		on wires ip link set "$name-eth0" up
	done
	for name in "$DYING" "${PAIR[@]}"; do
		wait_for 5 forwards "$name"
	done
	for name in "${BACKENDS[@]}"; do
		on "$name" touch /run/nginx/files/health
		bkd "$name" down >/dev/null
		! listed before "$name" ||
			bkd "$name" up -m "$mode" -c "$dir/before" >/dev/null
	done
}

# others FILE: how many broke there that the change does not exempt: those at the dead
# backend or on the dead path (one that was never answered may be). Backends pass
# on to a dead one, too; a load balancer that remembers does not ask those behind
# it first, who may have flows of the one that drains: see docs/changing-pools.md.
others() {
	local exempt="$DYING|nobody yet"
	case $change in
	backend-dies)
		[[ $memory != remember ]] || exempt+='|backend0x'
		;;
	path-down) ;;
	*) exempt=none ;;
	esac
	grep -cvE ", ($exempt), " "$1" || :
}

# one chance|control: the whole row; sets $broken to the number of connections
# that should not have broken, but did
one() {
	local name vip=$VIP4
	kind=$1
	[[ $family == IPv4 ]] || vip=$VIP6
	files "$kind"
	mended
	for name in "${PAIR[@]}"; do starts before "$name"; done
	! checked || all_tell $DYING_LAST state up "${PAIR[@]}"
	spread "${PAIR[@]}"
	# While a check fails, short connections may break with a load balancer.
	talk "$vip" $((FLOWS - FLOWS / 4)) "$PAUSE" "$(checked && echo 0 || echo "$RATE")"
	advanced $((FLOWS - FLOWS / 4))
	case $change in
	application-down) a_check_fails application ;;
	path-down) a_check_fails path ;;
	*) the_pool_changes ;;
	esac
	[[ $kind == control || $(passed_on) != 0 ]] || {
		echo "no packet was passed on"
		return 1
	}
	finish
	broken=$(others "$dir/broken")
}

#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# Changes under load: connections that are held open and moving, and new ones
# all the time, while all that can be changed is changed. Each change moves a
# tenth of the slots or more. `make test-long` does it with 10,000 connections,
# 20 times each.

bats_require_minimum_version 1.5.0
load lib
load run
load flows

HELD=${HELD:-200} ROUNDS=${ROUNDS:-1} PAUSE=${PAUSE:-0.2}
export TALK_LIMIT=200
APPLIES=${APPLIES:-20} RATE=${RATE:-100} KILLS=${KILLS:-3}
X=172.19.0.3

setup_file() {
	local dir=$BATS_FILE_TMPDIR
	network
	services "$dir/both"
	services "$dir/heavy" "s/$X, weight: 1/$X, weight: 3/"
	services "$dir/one" "/{address: $X,/d"
	services "$dir/random" 's/maglev/random/'
	services "$dir/source" 's/maglev/source-hash/'
	# the web service is removed, or replaced by one of any port
	services "$dir/gone" '0,/port: 80$/s//port: 8088/'
	services "$dir/any" '0,/port: 80$/s//port: any/'
}

teardown_file() {
	network_down
}

teardown() {
	flows_end
	run_end
	detach
}

# begin HELD RATE
begin() {
	talk "$VIP4" "$1" "$PAUSE" "$2"
}

apply() { # NAME
	lbr apply "$BATS_FILE_TMPDIR/$1"
}

# slots: the backend of each slot of the web service, one per line, as the maps of
# what runs have it (common/core/abi_services.h)
slots() {
	on "$LB" /usr/bin/python3 - "/sys/fs/bpf/l3dsr/lbr-$LAYOUT" "$VIP4" <<-'EOF'
		import ctypes, ipaddress, struct, sys

		bpf = ctypes.CDLL("libbpf.so.1")
		pins, vip = sys.argv[1], ipaddress.ip_address(sys.argv[2]).packed

		def element(fd, key, size):
		    value = ctypes.create_string_buffer(size)
		    key = ctypes.c_uint32(key)
		    assert not bpf.bpf_map_lookup_elem(fd, ctypes.byref(key), value)
		    return value.raw

		def pinned(name):
		    return bpf.bpf_obj_get(f"{pins}/{name}".encode())

		slot = struct.unpack_from("<I", element(pinned("control"), 0, 64))[0] - 1
		cells = element(pinned("services"), slot, 48 * 65536)
		first, chunk = next(
		    (struct.unpack_from("<I", cells, at + 24)[0], struct.unpack_from("<H", cells, at + 42)[0])
		    for at in range(0, len(cells), 48)
		    if cells[at + 47] and cells[at + 12:at + 19] == vip + b"\0P\6")
		if chunk:
		    number = struct.unpack("<I", element(pinned("tables"), chunk, 4))[0]
		    inner = bpf.bpf_map_get_fd_by_id(number)
		else:
		    inner = pinned("first_chunk")
		for element_at in range(first // 4, (first + 65537 + 3) // 4):
		    for backend in struct.unpack("<4H", element(inner, element_at, 8)):
		        print(backend % 16384)
	EOF
}

# moves CMD...: it moves a tenth of the slots or more
moves() {
	local before moved
	before=$(slots)
	"$@"
	moved=$(paste <(echo "$before") <(slots) | awk '$1 != $2' | wc -l)
	((moved * 10 >= 65537)) || {
		echo "$*: $moved slots moved"
		return 1
	}
}

@test "each change moves a tenth of the slots" {
	attach generic "$BATS_FILE_TMPDIR/both"
	moves apply one
	moves apply both
	moves lbr drain "$X"
	moves lbr undrain "$X"
	moves lbr weight "$X" 3
	moves apply both
	moves apply heavy
	run moves apply heavy # nothing changes
	((status != 0))
}

@test "held connections go on while everything is changed: 0 broken" {
	local i
	attach generic "$BATS_FILE_TMPDIR/both"
	begin "$HELD" 10
	advanced "$HELD"
	for ((i = 0; i < ROUNDS; i++)); do
		apply one # x leaves
		advanced "$HELD"
		apply both # and is back
		advanced "$HELD"
		lbr drain "$X"
		advanced "$HELD"
		lbr undrain "$X"
		lbr weight "$X" 3
		advanced "$HELD"
		apply both
		advanced "$HELD"
		apply random
		advanced "$HELD"
		apply source
		advanced "$HELD"
		apply heavy
		lbr up -c "$BATS_FILE_TMPDIR/heavy" # the program is replaced
		advanced "$HELD"
		apply both
		advanced "$HELD"
	done
	run -0 tell finish
	echo "# $output" >&3
	[[ $output == "$HELD held, "*" asked, 0 broken" ]]
}

# both roles apply the file, the load balancer first or last
apply_all() { # NAME
	local backend
	((RANDOM % 2)) || apply "$1"
	for backend in "${BACKENDS[@]}"; do
		bkd "$backend" apply "$BATS_FILE_TMPDIR/$1" >/dev/null
	done
	apply "$1"
}

@test "the connections' service leaves the file and is back, and becomes one of any port: 0 broken" {
	local name
	attach generic "$BATS_FILE_TMPDIR/one"
	begin "$HELD" 0
	advanced "$HELD"
	apply_all both # half of the connections are where the table does not put them
	advanced "$HELD"
	for name in gone both any both any gone both; do
		apply_all "$name"
		advanced "$HELD"
	done
	apply_all gone
	[[ $(lbr show -j services | jq -r '.services[] |
		select(.vip == "192.168.25.10" and .port == 80).until') == [0-9]* ]]
	run ! on "$CLIENT" curl -sS -m 1 -o /dev/null "http://$VIP4/"
	run -0 tell finish
	echo "# $output" >&3
	[[ $output == "$HELD held, "*" asked, 0 broken" ]]
}

# unit_runs HOST UNIT KEY: runs the unit's command for KEY as systemd would;
# OPTIONS are those of /etc/default
unit_runs() {
	local command
	while read -ra command; do
		on "$1" "${command[@]}" >/dev/null
	done < <(sed -n "s,^$3=@SBIN@/,,p" "$ROOT/common/install/$2.service.in" |
		sed "s,^lbr,LoadBalancer/lbr,; s,^bkd,Backend/bkd,; s,%I,eth0,; s,\\\$OPTIONS,$OPTIONS,")
}

# unit_restarts HOST UNIT: as systemd does. The units that it requires stay
# active, even those with StopWhenUnneeded, because they are needed while the
# unit has a job.
unit_restarts() {
	unit_runs "$1" "$2" ExecStop
	unit_runs "$1" "$2" ExecStart
}

# unit_stops HOST UNIT
unit_stops() {
	local other
	unit_runs "$1" "$2" ExecStop
	while read -r other; do
		grep -qx StopWhenUnneeded=yes "$ROOT/common/install/$other.service.in"
		unit_runs "$1" "$other" ExecStop
	done < <(sed -n '/^Requires=/ { s///; s/%i//; s/\.service$//p }' "$ROOT/common/install/$2.service.in")
}

@test "a restart of each unit, after a change: 0 broken; a stop of the units takes all down" {
	local backend file=$BATS_FILE_TMPDIR/both
	local OPTIONS="-m generic -c $file"
	attach generic "$BATS_FILE_TMPDIR/one"
	begin 300 0
	advanced 300
	apply_all both # half of the connections are where the table does not put them
	run_begin "$file"
	unit_restarts "$LB" lbr
	advanced 300
	run_signal TERM
	[[ $(run_status) == 0 ]]
	run_begin "$file"
	for backend in "${BACKENDS[@]}"; do
		unit_restarts "$backend" bkd@
	done
	unit_restarts "$LB" lbr
	advanced 300
	run -0 tell finish
	echo "# $output" >&3
	[[ $output == "300 held, "*" asked, 0 broken" ]]
	run_end
	unit_stops "$LB" lbr
	run -1 lbr show
	for backend in "${BACKENDS[@]}"; do
		unit_stops "$backend" bkd@
		run -1 bkd "$backend" show
	done
}

@test "but down forgets flows, and an up after it goes by the table" {
	attach generic "$BATS_FILE_TMPDIR/one"
	begin 40 0
	advanced 40
	apply both
	advanced 40
	lbr down
	lbr up -m generic -c "$BATS_FILE_TMPDIR/both" >/dev/null
	tell advance
	run -0 tell finish
	echo "$output"
	[[ $output != *" 0 broken"* ]]
}

# killed CMD...: kills CMD at a random moment of its first 80 ms (most commands
# take about as long), unless it has ended
killed() {
	local moment
	moment=$(printf '0.%03d' $((RANDOM % 80)))
	on "$LB" timeout -s KILL "$moment" LoadBalancer/lbr "$@" >/dev/null 2>&1 || :
}

# says NAME: what runs is what the file NAME says, in the stored copy and in the
# maps
says() {
	[[ $(lbr save) == "$(<"$BATS_FILE_TMPDIR/$1.saved")" ]] &&
		[[ $(lbr apply -n "$BATS_FILE_TMPDIR/$1") == *"nothing that packets meet changes" ]]
}

@test "a tool killed at random moments: the state is the old one or the new one" {
	local i name old=both new=heavy
	attach generic "$BATS_FILE_TMPDIR/both"
	for name in heavy both; do
		apply "$name"
		lbr save >"$BATS_FILE_TMPDIR/$name.saved"
	done
	run ! says heavy
	begin "$HELD" 10
	advanced "$HELD"
	for ((i = 0; i < KILLS; i++)); do
		RANDOM=$((i * 7919 + 1))
		if ((i % 2)); then
			killed up -c "$BATS_FILE_TMPDIR/$new"
		else
			killed apply "$BATS_FILE_TMPDIR/$new"
		fi
		says "$old" || says "$new"
		apply "$new"
		says "$new"
		name=$old old=$new new=$name
		advanced "$HELD"
	done
	run -0 tell finish
	echo "# $output" >&3
	[[ $output == "$HELD held, "*" asked, 0 broken" ]]
}

@test "apply while new connections come: none of them fails" {
	local i names=(one both heavy both)
	attach generic "$BATS_FILE_TMPDIR/both"
	begin 10 "$RATE"
	advanced 10
	for ((i = 0; i < APPLIES; i++)); do
		apply "${names[i % 4]}" >/dev/null
	done
	advanced 10
	run -0 tell finish
	echo "# $APPLIES applies: $output" >&3
	[[ $output == "10 held, "*" asked, 0 broken" ]]
}

@test "but a backend that is cut loses the connections that it had" {
	attach generic "$BATS_FILE_TMPDIR/both"
	begin 40 0
	advanced 40
	lbr apply --now "$BATS_FILE_TMPDIR/one"
	tell advance
	run -0 tell finish
	echo "$output"
	[[ $output != *" 0 broken"* ]]
}

# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only

show() { # SCENARIO
	local h state=down
	if is_up && [[ $(running) == "$1" ]]; then
		need_root "show $1" "show"
		state=up
		# shellcheck disable=SC2153 # two things
		[[ ! -e $STATE/native ]] || state+=', ports ready for native XDP'
	fi
	printf '%s: %s\n' "$1" "$state"
	for h in "${HOSTS[@]}"; do
		awk -v host="$h" '
			NF == 2 { # as declared
				if (!($1 in addresses))
					order[++n] = $1
				addresses[$1] = addresses[$1] " " $2
			}
			NF > 2 { # in `ip -o link` the mode comes after the MTU
				sub(/@.*|:$/, "", $2)
				if (match($0, /xdp(generic|offload|multi)? /))
					xdp[$2] = substr($0, RSTART, RLENGTH)
				if (match($0, /prog\/xdp id [0-9]+/))
					id[$2] = substr($0, RSTART + 9, RLENGTH - 9)
			}
			END {
				for (i = 1; i <= n; i++) {
					name = order[i]
					mode = xdp[name] == "xdp " ? "native" : "generic"
					printf "%-11s %-5s%s%s\n", i == 1 ? host : "", name,
						addresses[name],
						id[name] ? "  [XDP " mode ", " id[name] "]" : ""
				}
			}' <(echo "${ADDRESSES[$h]}") \
			<([[ $state == down ]] || links "$h")
	done
}

# shellcheck shell=bash
# What every script of ours says while it works. A stage is a sentence and the time it took:
#
#     stage 'bring up the lab' lab_up
#     == bring up the lab
#        …what lab_up prints…
#     -- bring up the lab: 12.4 s
#
# To be sourced. Prints to standard error, so that a script's output stays its own.

EYRIE_SOURCE=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
EYRIE_BUILD=$(realpath -m "${EYRIE_BUILD:-$EYRIE_SOURCE/build}")
EYRIE_CACHE=${EYRIE_CACHE:-$EYRIE_BUILD/cache}
EYRIE_LAB=${EYRIE_LAB:-$EYRIE_BUILD/lab} # the folder of the lab: two of them can be up side by side
export EYRIE_SOURCE EYRIE_BUILD EYRIE_CACHE EYRIE_LAB

say() { printf '%s\n' "$*" >&2; }

die() {
	printf '%s: %s\n' "${0##*/}" "$*" >&2
	exit 1
}

# now_ms: milliseconds of a clock that does not jump.
now_ms() {
	local up
	read -r up _ </proc/uptime
	up=${up/./}
	echo $((up * 10))
}

# seconds_since MS: the time since a now_ms, as "12.4".
seconds_since() {
	local ms=$(($(now_ms) - $1))
	printf '%d.%d' $((ms / 1000)) $((ms % 1000 / 100))
}

# stage SENTENCE CMD…: runs CMD, says what it does before and how long it took after.
# The status is CMD's. CMD runs in this shell and, as a condition's part, without `set -e`:
# let its functions end in `||  return` or `|| die` where a failure must stop them.
stage() {
	local what=$1 started status=0
	shift
	started=$(now_ms)
	say "== $what"
	"$@" || status=$?
	if [ "$status" = 0 ]; then
		say "-- $what: $(seconds_since "$started") s"
	else
		say "-- $what: FAILED (status $status) after $(seconds_since "$started") s"
	fi
	return "$status"
}

# wait_for SECONDS CMD…: tries CMD each 0.2 s until it succeeds; false when the time is over.
wait_for() {
	local end=$(($(now_ms) + $1 * 1000))
	shift
	until "$@"; do
		[ "$(now_ms)" -lt "$end" ] || return 1
		sleep 0.2
	done
}

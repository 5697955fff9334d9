# shellcheck shell=bash
# Trying an operation under a fault at each of its system calls, one fault a run: README.md tells how.
# To be sourced by a script whose first argument is the build folder.

crash_here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck disable=SC2034 # for who sources this
source_dir=$(cd "$crash_here/../.." && pwd)
build=$(cd "$1" && pwd)
work=$(mktemp -d -p /dev/shm) # a disk would wait for each fsync, and no power fails here
crash_jobs=${EYRIE_CRASH_JOBS:-$(nproc)}
crash_most=0       # points of each fault that are tried; 0: all
crash_seed=1       # which those are
crash_may_miss=1   # of a hundred calls: those that come at one run and not at another
crash_seconds=30   # how long a run may take
# Calls that others than the process see, but for those that open a file. For who sources this.
# shellcheck disable=SC2034
crash_changes='pwrite64 write@file write@pipe write@socket write@other writev@file writev@pipe writev@socket openat@create sendto sendmsg connect bind ftruncate rename renameat unlink unlinkat mkdir link fchmod fchown clone3 clone fork vfork execve kill'
crash_outside=""   # calls that others than the process see: it is killed before these only; "": before all
crash_cases=0 crash_failed=0
crash_under=()
declare -A crash_held=()

# --- for operations ---

# under PROGRAM ARG…: how an operation's _run runs its program.
under() { "${crash_under[@]}" "$@" </dev/null; }

# wrong WHAT…: what an operation's _after says when something is not as it must be.
wrong() {
	echo "$*"
	return 1
}

# once KEY CMD…: runs CMD unless it has held for this KEY before, in this worker: for a recovery that
# depends on nothing but what KEY is made of.
once() {
	local key=$1
	shift
	[ -z "${crash_held[$key]:-}" ] || return 0
	"$@" || return
	crash_held[$key]=1
}

# --- one run ---

# crash_run OPERATION [OPTION-OF-INJECT…]: from its _before to its _after; what is wrong is printed.
crash_run() {
	local operation=$1
	shift
	crash_under=("$build/tests/crash/inject" --out="$T/said" "$@" --)
	crash_run_under "$operation"
}
# crash_run_under OPERATION: likewise, under what crash_under is.
crash_run_under() {
	local status=0 operation=$1
	rm -f "$T/said"
	"${operation}_before" || { wrong 'it cannot be prepared'; return; }
	"${operation}_run" >"$T/run.log" 2>&1 || status=$?
	[ $status -lt 124 ] || [ $status -gt 125 ] || { wrong "it was not over after $crash_seconds s: $(tail -n 3 "$T/run.log")"; return; }
	"${operation}_after" 2>&1
}

# crash_point OPERATION FROM FAULT NAME NTH SURE: a line that begins with FAULT and hit, missed or wrong.
crash_point() {
	for _ in 1 2 3; do
		if ! crash_run "$1" ${2:+--from="$2"} --fault="$3" --call="$4" --nth="$5" --seconds="$crash_seconds" >"$T/wrong"; then
			echo "$3 wrong $4 $5: $(tr '\n' ' ' <"$T/wrong")"
			[ -z "${EYRIE_CRASH_KEEP:-}" ] || cp -a "$T" "$work/kept-$1-$3-$4-$5"
			return
		fi
		[ ! -s "$T/said" ] || { echo "$3 hit $6"; return; }
		[ "$6" = sure ] || return 0
	done
	echo "$3 missed $4 $5"
}

# crash_allocation OPERATION NTH: likewise; an allocation that fails, by starve.c. 0: how many there are.
crash_allocation() {
	crash_under=(env LD_PRELOAD="$build/tests/crash/libstarve.so" STARVE_NTH="$2" STARVE_OUT="$T/said")
	if ! crash_run_under "$1" >"$T/wrong"; then
		echo "memory wrong $2: $(tr '\n' ' ' <"$T/wrong")"
		[ -z "${EYRIE_CRASH_KEEP:-}" ] || cp -a "$T" "$work/kept-$1-memory-$2"
	elif [ "$2" = 0 ]; then
		cp "$T/said" "$work/$1.allocations"
	elif [ -s "$T/said" ]; then
		echo 'memory hit sure'
	else
		echo "memory missed $2"
	fi
}

# --- an operation ---

# crash_work OPERATION CMD…: CMD in a folder of its own, $T, in which the operation can be run.
crash_work() {
	local operation=$1
	shift
	T=$(mktemp -d "$work/$operation-XXXXXX")
	# shellcheck disable=SC2064 # this operation
	trap "${operation}_end" EXIT
	"${operation}_begin" >"$T/begin.log" 2>&1 || { cat "$T/begin.log"; return 1; }
	"$@"
}

# crash_count OPERATION FROM: two runs without a fault; their calls are in two files.
crash_count() {
	local n
	for n in 1 2; do
		crash_run "$1" ${2:+--from="$2"} --list --seconds="$crash_seconds" >"$T/wrong" || { cat "$T/wrong"; return 1; }
		cp "$T/said" "$work/$1.calls$n"
	done
}

# crash_points OPERATION FAULT…: "FAULT NAME NTH sure" for each call that came in both runs, and "FAULT NAME
# NTH extra" for those that came in one of them, and two more of each name: there may be as many.
crash_points() {
	local operation=$1
	shift
	awk -v faults="$*" -v outside=" $crash_outside " '
		FILENAME ~ /\/calls$/ { sub(/#.*/, ""); known[$1] = 1; for (i = 2; i <= NF; i++) can[$1, $i] = 1; next }
		FILENAME ~ /calls1$/ { first[$1]++ }
		FILENAME ~ /calls2$/ { second[$1]++ }
		{ names[$1]; if (!($1 in known)) unknown = unknown " " $1 }
		END {
			if (unknown) { print "not in tests/crash/calls:" unknown >"/dev/stderr"; exit 1 }
			n = split(faults, fault, " ")
			for (f = 1; f <= n; f++)
				for (name in names) {
					if (fault[f] != "kill" && !((name, fault[f]) in can)) continue
					if (fault[f] == "kill" && outside != "  " && !index(outside, " " name " ")) continue
					least = first[name] < second[name] ? first[name] : second[name]
					most = first[name] + second[name] - least + 2
					for (i = 1; i <= most; i++) print fault[f], name, i, (i <= least ? "sure" : "extra")
				}
		}' "$crash_here/calls" "$work/$operation.calls1" "$work/$operation.calls2"
}

# crash_draw: of the points on the standard input, $crash_most of each fault that are sure, by $crash_seed:
# one of each call first, then a second of each.
crash_draw() {
	if [ "$crash_most" = 0 ]; then
		cat
	else
		awk -v seed="$crash_seed" 'BEGIN { srand(seed) } / sure$/ { print rand(), $0 }' | sort -g |
			awk '{ print ++n[$2, $3] + $1, $2, $3, $4, $5 }' | sort -g |
			awk -v most="$crash_most" '++n[$2] <= most { print $2, $3, $4, $5 }'
	fi
}

# crash_share NUMBER OPERATION FROM: this worker's share of the points.
crash_share() {
	local n=0 fault name nth sure
	while read -r fault name nth sure; do
		[ $((n++ % crash_jobs)) = "$1" ] || continue
		[ "$fault" != memory ] || { crash_allocation "$2" "$nth"; continue; }
		crash_point "$2" "$3" "$fault" "$name" "$nth" "$sure"
	done <"$work/$2.points"
}

# crash_case OPERATION FAULT HOLDS: a line of TAP, from what the workers found. A call that had come twice
# may not come again (memory, time): one in a hundred of them, or $crash_may_miss.
crash_case() {
	local all of hit extra wrong what='system calls'
	[ "$2" != memory ] || what='allocations'
	crash_cases=$((crash_cases + 1))
	all=$(grep -c "^$2 .* sure$" "$work/$1.points")
	of=$(grep -c "^$2 .* sure$" "$work/$1.all")
	hit=$(cat "$work/$1".found* | grep -c "^$2 hit sure$")
	extra=$(cat "$work/$1".found* | grep -c "^$2 hit extra$")
	wrong=$(cat "$work/$1".found* | grep -c "^$2 wrong")
	grep -hvE ' hit (sure|extra)$' "$work/$1".found* | grep -E "^$2 " | sed 's/^/# /'
	if [ "$wrong" = 0 ] && [ "$all" -gt 0 ] && [ $((100 * hit)) -ge $(((100 - crash_may_miss) * all)) ]; then
		printf 'ok'
	else
		crash_failed=$((crash_failed + 1))
		printf 'not ok'
	fi
	[ "$extra" = 0 ] && extra='' || extra=", and $extra that come now and then"
	[ "$all" = "$of" ] && of='' || of=" of the $all that seed $crash_seed drew of $of"
	echo " $crash_cases - ${1//_/ }, $2: $hit${of:- of $all} $what$extra: $3"
}

# crash_try OPERATION FROM "FAULT…" HOLDS: a case for each fault; HOLDS says what _after looks at. FROM: a
# part of a path; the calls before the first that names such a file are left out. "": none is. The fault
# "memory", alone, is one allocation that fails.
crash_try() {
	local operation=$1 from=$2 faults holds=$4 n fault
	read -ra faults <<<"$3"
	if [ "${faults[*]}" = memory ]; then
		(crash_work "$operation" crash_allocation "$operation" 0) >"$work/$operation.log" 2>&1
		seq "$(<"$work/$operation.allocations")" | sed 's/.*/memory allocation & sure/' >"$work/$operation.all"
	elif ! (crash_work "$operation" crash_count "$operation" "$from") >"$work/$operation.log" 2>&1 ||
		! crash_points "$operation" "${faults[@]}" >"$work/$operation.all" 2>>"$work/$operation.log"; then
		sed 's/^/# /' "$work/$operation.log"
		crash_cases=$((crash_cases + 1)) crash_failed=$((crash_failed + 1))
		echo "not ok $crash_cases - ${operation//_/ }: without a fault"
		return
	fi
	crash_draw <"$work/$operation.all" >"$work/$operation.points"
	for n in $(seq 0 $((crash_jobs - 1))); do
		(crash_work "$operation" crash_share "$n" "$operation" "$from") >"$work/$operation.found$n" 2>&1 &
	done
	wait
	for fault in "${faults[@]}"; do crash_case "$operation" "$fault" "$holds"; done
}

# crash_end: the last line, and the status.
crash_end() {
	echo "1..$crash_cases"
	[ "$crash_failed" = 0 ]
}

crash_finish() {
	# shellcheck disable=SC2046 # a list
	kill $(jobs -p) 2>/dev/null
	wait
	if [ "$crash_failed" != 0 ] && [ -n "${EYRIE_CRASH_KEEP:-}" ]; then
		echo "# kept: $work"
	else
		rm -rf "$work"
	fi
}
trap crash_finish EXIT
trap 'exit 130' INT TERM

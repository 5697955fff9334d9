# shellcheck shell=bash
# What a live test prints: TAP, a line for each thing that must hold. To be sourced.

tap_cases=0
tap_failed=0

# ok SENTENCE CMD…: it holds if CMD succeeds.
ok() {
	local what=$1
	shift
	tap_cases=$((tap_cases + 1))
	if "$@"; then
		echo "ok $tap_cases - $what"
	else
		echo "not ok $tap_cases - $what"
		tap_failed=$((tap_failed + 1))
	fi
}

# note SENTENCE: something to know that is no test, such as a figure.
note() { echo "# $*"; }

# tap_end: the last line of a test, and its status.
tap_end() {
	echo "1..$tap_cases"
	[ "$tap_failed" = 0 ]
}

not() { ! "$@"; }
# equal A B: with what they are when they are not.
equal() { [ "$1" = "$2" ] || { note "\"$1\" is not \"$2\"" && false; }; }

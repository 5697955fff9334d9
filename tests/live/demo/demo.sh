#!/bin/bash
# The demo holds: each check of its summary is a case.
set -eu

out=$(mktemp)
status=0
setpriv --pdeathsig TERM -- "$(dirname "$0")/../../../scripts/demo" >"$out" &
demo=$!
trap 'rm -f "$out"' EXIT
trap 'kill "$demo"; wait "$demo"; exit 143' TERM INT
wait "$demo" || status=$?
awk '
	/^  ok    / { print "ok " ++n " - " substr($0, 9); next }
	/^  FAIL  / { print "not ok " ++n " - " substr($0, 9); next }
	{ print "# " $0 }
	END { print "1.." n + 0 }' "$out"
exit "$status"

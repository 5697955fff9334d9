#!/bin/bash
# Ten lives of VMs of QEMU, each of which is started for one real job, runs it, is drained and goes. Nothing is
# lost, doubled or left behind. (containers.sh has many more lives, of containers.)
set -eu

here=$(dirname "$0")
# shellcheck source=tests/live/tap.sh
. "$here/../tap.sh"
# shellcheck source=scripts/lib/stage.sh
. "$here/../../../scripts/lib/stage.sh"
# shellcheck source=scripts/lib/pool.sh
. "$EYRIE_SOURCE/scripts/lib/pool.sh"
# shellcheck source=tests/live/waves.sh
. "$here/../waves.sh"

waves=(4 3 3) all=10

trap pool_end EXIT
trap 'exit 130' INT TERM
pool_ready debian13
pool_configure vms=4 cpus=8 juno_max=8 idle=10s join=1h
pool_start
for n in "${waves[@]}"; do
	begun=$(now_ms)
	ok "$n VMs come, work side by side, and go" wave "$n"
	note "they took $(seconds_since "$begun") s"
done

jobs=$(job_rows)
ok "all $all jobs ended" equal "$(grep -c . <<<"$jobs")" "$all"
none 'each with exit code 0' "$(awk -F'\t' '$3 != 0 || $4 != 4' <<<"$jobs")"
none 'each was started once' "$(awk -F'\t' '$5 != 1' <<<"$jobs")"
none 'and had its VM for itself' "$(shared "$jobs")"
ok "$all VMs joined, or more" [ "$(events joined)" -ge "$all" ]
ok 'none was destroyed' equal "$(events destroy)" 0
ok 'left: no domain' equal "$(left_domains)" 0
ok 'left: no disk' equal "$(left_disks)" 0
ok 'left: no seed' equal "$(left_seeds)" 0
ok 'left: no process of QEMU' equal "$(left_qemus)" 0
ok 'left: no slot ad' equal "$(left_slots)" 0
pool_stop
note "$(pool_lives)"
ok 'left: no token' equal "$(left_tokens)" 0
tap_end

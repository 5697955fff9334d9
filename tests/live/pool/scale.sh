#!/bin/bash
# Limits go up and down in eyrie.yaml while jobs run and wait, and the pool follows: eyried is never
# restarted, no job is lost or started twice, and VMs that are too many are drained, not killed. Files
# are saved in the two ways that editors have: a new file over the old one, and into the old one.
set -eu

here=$(dirname "$0")
# shellcheck source=tests/live/tap.sh
. "$here/../tap.sh"
# shellcheck source=scripts/lib/stage.sh
. "$here/../../../scripts/lib/stage.sh"
# shellcheck source=scripts/lib/pool.sh
. "$EYRIE_SOURCE/scripts/lib/pool.sh"

jobs=12 seconds=30

# save NAME VALUE: sets a limit, and saves the file as a new one over the old one.
save() { sed -i "s/^\(limits:.*\b$1: \)[0-9]*/\1$2/" "$pool_dir/eyrie.yaml"; }
# overwrite NAME VALUE: the same, into the file that is there.
overwrite() {
	sed "s/^\(limits:.*\b$1: \)[0-9]*/\1$2/" "$pool_dir/eyrie.yaml" >"$pool_dir/edited" &&
		cat "$pool_dir/edited" >"$pool_dir/eyrie.yaml"
}
busy() { [ "$(vms busy)" = "$1" ]; }
queue_is_empty() { [ "$(jobs_in_queue true)" = 0 ]; }
says() { grep -qE "$1" <<<"$said" || { note "${said//$'\n'/$'\n# '}" && false; }; }
in_the_log() { grep -qE "$1" "$pool_dir/eyried.log"; }
eyried_pid() { "$lab" run cat /run/lab/eyried.pid; }
# The jobs of the cluster that ended well, at the first attempt, in a VM.
good_jobs() {
	job_table | awk -F'\t' -v c="$cluster" \
		'$1 == c && $10 ~ /vpool-small-/ && $11 == 0 && $12 == 1 && $13 == 4' | wc -l
}
# VMs that were asked to power off for another reason than that they were drained and empty.
others_powered_off() {
	awk '$2 == "poweroff" && !/drained and empty/' "$pool_dir/eyried.log" | wc -l
}

trap pool_end EXIT
trap 'exit 130' INT TERM
pool_ready container
pool_configure template=container vms=1 cpus=8 juno_max=8 idle=30s join=20m trust=60s
pool_start
pid=$(eyried_pid)
cluster=$(submit alice juno 2 "$jobs" "$seconds" flagged)

ok 'one VM takes a job' wait_for 300 busy 1
ok 'a second one is not started' vms_are 1
ok 'for the limit, which is named with its line' \
	grep -qE 'the limit is 1 \(eyrie.yaml:[0-9]+\)' <<<"$(eyrie explain group juno)"

save vms 3
ok 'the raised limit is taken over' wait_for 30 in_the_log 'policy limits.vms: 1 → 3 \(eyrie.yaml:[0-9]+\)'
ok 'what it will do was said before' in_the_log 'policy-plan vpool: 2 create'
ok 'two more VMs are started' wait_for 30 vms_are 3
ok 'and take jobs' wait_for 300 busy 3

overwrite vms 1
ok 'the lowered limit is taken over' wait_for 30 in_the_log 'policy limits.vms: 3 → 1 \(eyrie.yaml:[0-9]+\)'
ok 'VMs are drained' wait_for 120 more_events drain-done 0
ok 'the pool comes down to one VM as jobs end' wait_for 600 vms_are 1
ok 'two were drained' equal "$(events drain)" 2
ok 'jobs still wait for the one that is left' not queue_is_empty

cp "$pool_dir/eyrie.yaml" "$pool_dir/good.yaml"
save vms 2x
ok 'a limit that is none is refused' wait_for 30 in_the_log 'reload-failed .*limits.vms: "2x"'
cp "$pool_dir/good.yaml" "$pool_dir/eyrie.yaml"
sed 's/vms: 1,/vms: 2,/' "$pool_dir/good.yaml" >"$pool_dir/next.yaml"
said=$(eyrie plan -c "$pool_dir/next.yaml" 2>&1) || true
ok 'a preview of the next limit starts one VM' says '^plan: 1 create'
mv "$pool_dir/next.yaml" "$pool_dir/eyrie.yaml"
said=$(eyrie reload)
ok 'eyrie reload says what changes' says 'limits.vms: 1 → 2'
ok 'the pool grows again' wait_for 30 vms_are 2

ok 'all jobs end' wait_for 900 queue_is_empty
ok 'well, each started once, in VMs' equal "$(good_jobs)" "$jobs"
ok 'the VMs leave' wait_for 300 vms_are 0
ok 'none was powered off before it was drained and empty' equal "$(others_powered_off)" 0
ok 'none was destroyed' equal "$(events destroy)" 0
ok 'eyried is the process that it was' equal "$(eyried_pid) $(host_pids eyried | wc -l)" "$pid 1"
ok 'and started once' equal "$(events started)" 1
ok 'eyried ends when asked' pool_stop
tap_end

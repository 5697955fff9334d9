#!/bin/bash
# A request for an exclusive VM, from the asking to the end, with real jobs of two groups: its VM is ready
# before its time and runs the jobs that name it, and no others; a job too long for it waits, and explain
# says why; a kill -9 of eyried in the middle changes nothing; the end is put off while the VM runs; it is
# drained before the end, its last job finishes, and it is gone. A webhook hears of all of it. VMs are containers; about
# four minutes.
set -eu

here=$(dirname "$0")
# shellcheck source=tests/live/tap.sh
. "$here/../tap.sh"
# shellcheck source=scripts/lib/stage.sh
. "$here/../../../scripts/lib/stage.sh"
# shellcheck source=scripts/lib/pool.sh
. "$EYRIE_SOURCE/scripts/lib/pool.sh"
posted=$pool_dir/posted
hook=''

look() { said=$("$@" 2>&1) && status=0 || status=$?; }
says() { grep -qE -- "$1" <<<"$said" || { note "it said: ${said//$'\n'/$'\n# '}" && false; }; }
ends_with() { [ "$status" = "$1" ] || { note "exit status $status: ${said//$'\n'/$'\n# '}" && false; }; }
# as USER VERB…: eyrie, as somebody who is no admin.
as() {
	local user=$1
	shift
	"$lab" run setpriv --reuid="$user" --regid=nogroup --clear-groups /run/lab/eyrie --socket "$pool_socket" "$@"
}
# job USER GROUP CPUS COUNT SECONDS WALLTIME [REQUEST]: prints the cluster.
job() {
	"$lab" exec -u "$1" schedd condor_submit -terse <<-JOB | sed -n 's/^\([0-9]*\)\..*/\1/p'
		executable = /bin/sleep
		transfer_executable = false
		should_transfer_files = yes
		when_to_transfer_output = on_exit
		arguments = $5
		request_cpus = $3
		request_memory = 64
		request_disk = 1024
		accounting_group = $2
		allowed_execute_duration = $6
		+VirtualPool = true
		${7:++EyrieRequest = \"$7\"}
		queue $4
	JOB
}
# field NAME: of the request, by the API.
field() { eyrie request show r-1 -o json | tr -d '\n' | grep -oE "\"$1\": *\"?[^,\"}]*" | head -n 1 | sed 's/.*: *"*//'; }
machine_of() { "$lab" exec vcm condor_status -constraint 'EyrieRequest == "r-1" && SlotType == "Partitionable"' -af Machine; }
has_machine() { [ -n "$(machine_of)" ]; }
told_by() { [ "$("$lab" exec vcm condor_status -constraint 'EyrieRequest == "r-1" && SlotType == "Partitionable"' -af EyrieUntil)" = "$1" ]; }
was_told() { grep -qs "^$1	r-1	" "$posted"; }
runs_on() { [ "$("$lab" exec schedd condor_q "$1" -constraint 'JobStatus == 2' -af RemoteHost | sed 's/.*@//' | sort -u)" = "$2" ]; }
differ() { [ -n "$1" ] && [ "$1" != "$2" ]; }
runs() { [ -n "$("$lab" exec schedd condor_q "$1" -constraint 'JobStatus == 2' -af ProcId)" ]; }
never_ran() { [ "$("$lab" exec schedd condor_q "$1" -af NumShadowStarts)" = undefined ]; }
# ran_on CLUSTER: on which machines those of its jobs were that ended.
ran_on() { job_table | awk -v cluster="$1" '$1 == cluster { sub(/.*@/, "", $10); print $10 }' | sort -u; }
ended() { job_table | awk -v cluster="$1" '$1 == cluster' | wc -l; }
all_ended() { [ "$(ended "$1")" = "$2" ]; }
gone() { [ -z "$(machine_of)" ] && ! vm_rows | grep -q "^${1%%.*}"; }
waits_long() { look eyrie explain job "$1.0" && grep -qE 'may run for 1h.* r-1 (leaves them|ends)' <<<"$said"; }
finish() {
	[ -z "$hook" ] || kill "$hook" 2>/dev/null || true
	pool_end
}

trap finish EXIT
trap 'exit 130' INT TERM
pool_ready container
pool_configure template=container vms=2 cpus=4 idle=10s trust=60s poweroff=10s
printf 'canary-of-the-webhook\n' >"$pool_dir/secret"
rm -f "$posted"
sed -i "s|^  juno: .*|  juno: { max: 4, templates: [small], submitters: [alice, nobody], notify: { url: \"http://127.0.0.1:8099/\", secret_file: $pool_dir/secret } }|" \
	"$pool_dir/eyrie.yaml"
"$lab" run "$EYRIE_SOURCE/tests/functional/webhook" 8099 "$posted" >/dev/null &
hook=$!
"$lab" run install -m 755 "$pool_build/controller/cli/eyrie" /run/lab/eyrie
pool_start

look as daemon request add --group juno --vms 1 --from +45s --for 100s
ok 'who is not of the group books nothing for it' ends_with 77
look as nobody request add --group juno --vms 1 --from +45s --for 100s --reason 'calibration'
ok 'who is gets an answer at once: granted' says 'granted as r-1'
from=$(($(field from) / 1000000)) until=$(($(field until) / 1000000))

named=$(job alice juno 1 1 20 60 r-1)
long=$(job alice juno 1 1 5 3600 r-1)
unnamed=$(job alice juno 1 1 5 60)
other=$(job bob lhaaso 1 1 5 60)
wait_for 90 has_machine
machine=$(machine_of)
ok 'its VM is ready before its time' wait_for 40 was_told ready
ok 'so the webhook was told' [ "$(sed -n 's/.*r-1-ready-\([0-9]*\).*/\1/p' "$posted")" -lt "$from" ]
ok 'the job that names it runs there' wait_for 90 runs_on "$named" "$machine"
ok 'one that is too long for it waits, and explain says so' wait_for 60 waits_long "$long"

look pool_kill
ok 'eyried is killed in the middle' ends_with 0
pool_start
ok 'the request is what it was' equal "$(field state)" granted
ok 'its VM is the same' equal "$(machine_of)" "$machine"
ok 'the job ends there' wait_for 90 all_ended "$named" 1
ok 'where it began' equal "$(ran_on "$named")" "$machine"
ok 'a job of the group without its name ends' wait_for 120 all_ended "$unnamed" 1
ok 'on another VM' differ "$(ran_on "$unnamed")" "$machine"
ok 'so does one of the other group' wait_for 120 all_ended "$other" 1
ok 'on another VM, too' differ "$(ran_on "$other")" "$machine"

look as nobody request extend r-1 --for +40s
ok 'it is extended' ends_with 0
until=$((until + 40))
ok 'the VM hears of it while it runs' wait_for 60 told_by "$until"
# Jobs one after the other, more than there is time for: one of them is the last.
last=$(job alice juno 2 40 10 20 r-1)
ok 'jobs that end in time run until the end' wait_for 60 runs_on "$last" "$machine"
ok 'that it ends soon is told before' wait_for 120 was_told ending
ok 'after the end the VM is gone' wait_for 240 gone "$machine"
done=$(job_table | awk -v cluster="$last" '$1 == cluster')
drained=$(awk -v vm="${machine%%.*}" '$2 == "drain" && $3 == vm { print $1 }' "$pool_dir/eyried.log")
ok 'it was drained before the end' [ "$(date -d "$drained" +%s)" -lt "$until" ]
ok 'some of them ended' [ "$(wc -l <<<"$done")" -ge 1 ]
ok 'all that began ended by themselves, in their one start' equal "$(awk '$11 != 0 || $12 != 1' <<<"$done")" ''
ok 'before the end' [ "$(awk '{ print $9 }' <<<"$done" | sort -n | tail -n 1)" -le "$until" ]
ok 'none of the others runs' not runs "$last"
ok 'the long one never ran' never_ran "$long"
look eyrie explain job "$long.0"
ok 'and explain says that its request is over' says 'r-1.*is over'
ok 'the end is told' wait_for 60 was_told ended
look eyrie request list --all
ok 'the history has it, with what was delivered' says '^r-1 +ended .* [0-9.]+/[0-9.]+ '
for event in granted ready ending ended; do
	ok "$event was told once, with the secret" equal \
		"$(grep "^$event	" "$posted" | cut -f 1-3)" "$event	r-1	Bearer canary-of-the-webhook"
done
ok 'which is nowhere else' not grep -rqs canary-of-the-webhook "$pool_dir/state" "$pool_dir/eyried.log"
"$lab" exec schedd condor_rm -all >/dev/null
ok 'eyried ends when asked' pool_stop
tap_end

#!/bin/bash
# Many lives of VMs: 100 containers with a real startd each, 20 at a time, each of which is started for
# one real job, runs it, is drained and goes. Nothing is lost, doubled or left behind.
set -eu

here=$(dirname "$0")
# shellcheck source=tests/live/tap.sh
. "$here/../tap.sh"
# shellcheck source=scripts/lib/stage.sh
. "$here/../../../scripts/lib/stage.sh"
# shellcheck source=scripts/lib/pool.sh
. "$EYRIE_SOURCE/scripts/lib/pool.sh"

waves=5 at_once=20
gate=$EYRIE_LAB/gate

# A wave: as many jobs as VMs may be there at once, each as large as a VM. The gate holds them until all of
# them run side by side, and counts their addresses: so each has a VM, and none that another one has.
gate_says() { [ "$(tail -n 1 "$gate" 2>/dev/null)" = "$1" ]; }
gate_opened() { [ "$(wc -l <"$gate")" = 2 ]; }
wave_is_over() { [ "$(jobs_in_queue)" = 0 ] && vms_are 0; }
begin() {
	rm -f "$gate"
	"$lab" run "$here/gate" 10.77.0.1 7777 "$at_once" "$gate" &
	wait_for 60 gate_says listens || return 1
	"$lab" exec -u alice schedd condor_submit -terse >/dev/null <<END
executable = /bin/bash
transfer_executable = false
arguments = "-c 'exec 3<>/dev/tcp/10.77.0.1/7777; read -r go <&3'"
should_transfer_files = yes
when_to_transfer_output = on_exit
request_cpus = 2
request_memory = 128
request_disk = 1024
accounting_group = juno
+VirtualPool = true
queue $at_once
END
}
wave() {
	begin && wait_for 600 gate_opened && gate_says "$at_once" && wait_for 600 wave_is_over && return 0
	note "$(jobs_in_queue) jobs are in the queue; the gate: $(tr '\n' ' ' <"$gate")"
	eyrie vms | notes
	"$lab" exec schedd condor_q -allusers -nobatch | notes
	return 1
}

# The jobs that have left the queue; HTCondor is asked once.
job_rows() {
	"$lab" exec schedd condor_history -af:t ClusterId ProcId ExitCode JobStatus NumJobStarts \
		JobCurrentStartDate CompletionDate 'LastRemoteHost ?: "-"'
}
# Jobs that had a VM while another job had it; a second's overlap is the clock's grain.
shared() {
	awk -F'\t' '{ sub(/.*@/, "", $8); print $8 "\t" $6 "\t" $7 "\t" $1 "." $2 }' <<<"$jobs" | sort -k1,1 -k2,2n |
		awk -F'\t' '$1 == vm && $2 + 1 < end { print "job " $4 " in " vm } { vm = $1; end = $3 }'
}
notes() { while read -r line; do note "$line"; done; }
# none SENTENCE ROWS: holds when there are no rows; else they are shown, and what eyried did with their VMs.
none() {
	local vms
	ok "$1" [ -z "$2" ]
	[ -n "$2" ] || return 0
	notes <<<"$2"
	vms=$(grep -o 'vpool-small-[0-9a-f]*' <<<"$2" | sort -u) || return 0
	grep -F "$vms" "$pool_dir/eyried.log" | cut -c1-200 | notes
}

trap pool_end EXIT
trap 'exit 130' INT TERM
pool_ready container
pool_configure template=container vms=$at_once cpus=40 juno_max=40 memory=64GiB host_cpus=64 host_memory=64GiB \
	starts=$at_once per_minute=600 idle=5s trust=60s
pool_start
for wave in $(seq "$waves"); do
	begun=$(now_ms)
	ok "wave $wave: $at_once VMs come, work side by side, and go" wave
	note "wave $wave took $(seconds_since "$begun") s"
done

all=$((waves * at_once))
jobs=$(job_rows)
ok "all $all jobs ended" equal "$(grep -c . <<<"$jobs")" "$all"
none 'each with exit code 0' "$(awk -F'\t' '$3 != 0 || $4 != 4' <<<"$jobs")"
none 'each was started once' "$(awk -F'\t' '$5 != 1' <<<"$jobs")"
none 'and had its VM for itself' "$(shared)"
# On busy cores a VM may have been idle for too long before its job was matched; another one comes then.
ok "$all VMs joined, or more" [ "$(events joined)" -ge "$all" ]
note "$(events create) VMs were started; $(events destroy) destroyed; power-offs that failed:"
grep ' poweroff-failed ' "$pool_dir/eyried.log" | cut -c1-250 | notes || true

# libvirt is made to forget what the container's first process is, as it does by itself on busy cores.
forget_init() {
	local pids
	pids=$(host_pids libvirtd)
	# shellcheck disable=SC2086 # a list
	"$lab" run sh -eu -c 'kill -STOP "$@" && sed -i "/<init pid=/d" /run/libvirt/lxc/vpool-*.xml && kill -KILL "$@"' sh $pids
}
running() { [ "$(jobs_in_queue 'JobStatus == 2')" = 1 ]; }
job=$(submit alice juno 2 1 3600 flagged)
ok 'one more VM has a job' wait_for 300 running
ok 'libvirt is made unable to tell it anything' forget_init
libvirt_answers() { virsh_lab list >/dev/null 2>&1; }
ok 'libvirt is there again' wait_for 60 libvirt_answers
destroyed=$(events destroy)
"$lab" exec schedd condor_rm "$job" >/dev/null
ok 'the VM is ended all the same' wait_for 300 wave_is_over
ok 'at once, when it cannot be told' grep -q 'poweroff-failed .* destroyed instead: .*Init process ID is not yet known' "$pool_dir/eyried.log"
ok 'and not for being there too long' equal "$(events destroy)" "$destroyed"

ok 'left: no domain' equal "$(left_domains)" 0
ok 'left: no seed' equal "$(left_seeds)" 0
ok 'left: no slot ad' equal "$(left_slots)" 0
pool_stop
ok 'left: no token' equal "$(left_tokens)" 0
tap_end

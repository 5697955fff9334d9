# shellcheck shell=bash
# Waves of jobs for live tests that count lives of VMs: each job has a VM of its own, and all of a wave run side
# by side. To be sourced after tap.sh and pool.sh.
# shellcheck disable=SC2154 # of pool.sh

gate=$EYRIE_LAB/gate
gate_program=$EYRIE_SOURCE/tests/live/gate

# A wave: jobs, each as large as a VM. The gate holds them until all of them run side by side, and counts
# their addresses: so each has a VM, and none that another one has.
gate_says() { [ "$(tail -n 1 "$gate" 2>/dev/null)" = "$1" ]; }
gate_opened() { [ "$(wc -l <"$gate")" = 2 ]; }
wave_is_over() { [ "$(jobs_in_queue)" = 0 ] && vms_are 0; }
wave_begin() { # JOBS
	rm -f "$gate"
	"$lab" run "$gate_program" 10.77.0.1 7777 "$1" "$gate" &
	gate_pid=$!
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
queue $1
END
}
wave() { # JOBS: true when they came, worked side by side, and are gone
	wave_begin "$1" && wait_for 1200 gate_opened && gate_says "$1" && wait_for 1200 wave_is_over && return 0
	note "$(jobs_in_queue) jobs are in the queue; the gate: $(tr '\n' ' ' <"$gate")"
	eyrie vms | notes
	"$lab" exec schedd condor_q -allusers -nobatch | notes
	kill "$gate_pid" 2>/dev/null || true
	return 1
}

# The jobs that have left the queue; HTCondor is asked once.
job_rows() {
	"$lab" exec schedd condor_history -af:t ClusterId ProcId ExitCode JobStatus NumJobStarts \
		JobCurrentStartDate CompletionDate 'LastRemoteHost ?: "-"'
}
# shared ROWS: jobs that had a VM while another job had it; a second's overlap is the clock's grain.
shared() {
	awk -F'\t' '{ sub(/.*@/, "", $8); print $8 "\t" $6 "\t" $7 "\t" $1 "." $2 }' <<<"$1" | sort -k1,1 -k2,2n |
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

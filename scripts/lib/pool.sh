# shellcheck shell=bash
# An Eyrie pool in the lab: build, configure, start and stop eyried; submit jobs as the lab's users;
# ask what became of them; and count what is left. The demo and the live tests are written in it.
#
# To be sourced after stage.sh. eyried runs on the lab host as on a real site's virtual-pool machine;
# its tools are those of vcm, and the fragment is applied with those of schedd.

lab=$EYRIE_SOURCE/scripts/lab
pool_dir=$EYRIE_LAB/pool
pool_build=$EYRIE_BUILD/meson
pool_socket=/run/lab/eyried.sock
libvirt_uri='qemu+unix:///system?socket=/run/lab/libvirt/libvirt-sock'
containers_uri='lxc+unix:///system?socket=/run/lab/libvirt/libvirt-sock'
pool_uri=$libvirt_uri # of the pool's host, by its policy

# pool_compile: builds everything with meson.
pool_compile() {
	if [ ! -f "$pool_build/build.ninja" ]; then
		meson setup "$pool_build" "$EYRIE_SOURCE" >&2 || return 1
	fi
	# Two tests may begin side by side.
	flock "$pool_build" ninja -C "$pool_build" >"$EYRIE_BUILD/ninja.log" 2>&1 || {
		tail -n 40 "$EYRIE_BUILD/ninja.log" >&2
		return 1
	}
}

# pool_ready IMAGE: all that a pool needs: a build, an image, a lab in which nothing has happened yet.
pool_ready() {
	[ "$1" != container ] || cgroups_serve ||
		die 'containers in the lab want cgroups that control memory and cpus, and this machine has none mounted'
	stage 'build' pool_compile && "$EYRIE_SOURCE/scripts/image" build "$1" >/dev/null &&
		"$lab" down && "$lab" up && pool_fresh
}

# Version 1 has each controller in a hierarchy of its own; version 2 lists those that may be used.
cgroups_serve() {
	local at
	grep -q '^[^ ]* [^ ]* cgroup ' /proc/mounts && return 0
	at=$(awk '$3 == "cgroup2" { print $2; exit }' /proc/mounts)
	[ -n "$at" ] && grep -qw memory "$at/cgroup.controllers" && grep -qw cpu "$at/cgroup.controllers"
}

# pool_end: for a trap: nothing of the pool or its lab goes on.
pool_end() {
	pool_stop || true
	"$lab" down
}

# pool_configure [NAME=VALUE…]: writes the policy of the lab's pool. Every value may be replaced. With
# template=container VMs are containers, which join two seconds after they are asked for.
pool_configure() {
	local vms=3 cpus=6 juno_max=4 lhaaso_max=4 idle=10s join=3m poweroff=60s look=2s trust=15s max_age=1d token=8h orphan=6h
	local host_cpus=16 host_memory=8GiB memory=8GiB starts=4 per_minute=30
	local template=debian13 image=debian13-condor.qcow2 assignment
	for assignment in "$@"; do local "${assignment?}"; done
	pool_uri=$libvirt_uri
	[ "$template" = debian13 ] || pool_uri=$containers_uri image=container-condor
	mkdir -p "$pool_dir/state"
	cp "$EYRIE_SOURCE/vm-templates/$template/domain.xml" "$pool_dir/$template.xml"
	cat >"$pool_dir/eyrie.yaml" <<END
pool:
  name: vpool
  flag: VirtualPool
  central_manager: vcm.lab:9618
  trust_domain: vpool.lab
  signing_key: EYRIE
  tools: /run/lab/bin/vcm
paths:
  state: $pool_dir/state
  socket: $pool_socket
  fragments: $EYRIE_SOURCE/flock-config
  host_program: $pool_build/controller/host/eyrie-host
  notify_program: $pool_build/controller/notify/eyrie-notify
schedds:
  - name: schedd.lab
    collector: cm.lab
    flock: /run/lab/schedd/config.d/60-eyrie-vpool.conf
    tools: /run/lab/bin/schedd
limits: { vms: $vms, cpus: $cpus, memory: $memory, starts_in_flight: $starts, starts_per_minute: $per_minute, slow_start: 0 }
timing:
  look_every: $look
  idle_before_drain: $idle
  join_within: $join
  poweroff_within: $poweroff
  max_age: $max_age
  trust_for: $trust
  token_life: $token
  orphan_after: $orphan
hosts:
  - { name: hv1, uri: "$pool_uri", cpus: $host_cpus, memory: $host_memory, storage_pool: eyrie }
templates:
  small: { domain: $template.xml, image: $image, cpus: 2, memory: 768MiB, disk: 4GiB }
groups:
  juno:   { max: $juno_max, templates: [small], submitters: [alice] }
  lhaaso: { max: $lhaaso_max, templates: [small], submitters: [bob] }
END
}

# pool_fresh: forgets the ledger and the log of an earlier run. Only without an eyried.
pool_fresh() {
	rm -rf "$pool_dir/state" "$pool_dir/eyried.log"
	mkdir -p "$pool_dir/state"
}

# eyrie VERB…: the command line, against the eyried of the lab.
eyrie() { "$lab" run "$pool_build/controller/cli/eyrie" --socket "$pool_socket" "$@"; }

pool_answers() { eyrie status -o json >/dev/null 2>&1 || [ $? = 3 ]; }

# pool_launch: starts eyried and waits until it answers.
pool_launch() {
	(
		# The lab's init is its parent in the end: a script that is killed leaves it to `lab down`.
		# shellcheck disable=SC2016 # the inner shell expands
		setsid "$lab" run sh -c 'echo $$ >/run/lab/eyried.pid; exec "$@"' sh \
			"$pool_build/controller/eyried" -c "$pool_dir/eyrie.yaml" \
			</dev/null >>"$pool_dir/eyried.log" 2>&1 &
	)
	wait_for 60 pool_answers
}

# pool_start: and waits until the schedd has its fragment: flagged jobs that are submitted before may run in the
# main pool.
pool_start() {
	{ pool_launch && wait_for 60 more_events flock-apply-done 0; } || {
		tail -n 20 "$pool_dir/eyried.log" >&2
		return 1
	}
}

# pool_signal SIGNAL: to eyried, by the id that it was started with.
pool_signal() { "$lab" run sh -c "kill -$1 \$(cat /run/lab/eyried.pid)" 2>/dev/null; }
# shellcheck disable=SC2016 # the inner shell expands
pool_is_down() { ! "$lab" run sh -c 'kill -0 $(cat /run/lab/eyried.pid)' 2>/dev/null; }

# pool_stop: asks eyried to end, and waits for it.
pool_stop() {
	pool_signal TERM || return 0
	wait_for 20 pool_is_down
}

# pool_lives: how many VMs there were, by the ledger, how many of them ran a job, and how many are gone. Only
# without an eyried.
pool_lives() {
	python3 -c 'import sqlite3, sys
print("VMs: %d, of which %d ran a job and %d are gone" % sqlite3.connect(sys.argv[1]).execute(
    "SELECT count(*), total(first_job > 0), total(closed > 0) FROM vm").fetchone())' "$pool_dir/state/ledger.sqlite"
}

# pool_kill: ends eyried without asking.
pool_kill() {
	pool_signal KILL || return 1
	wait_for 20 pool_is_down
}

# host_pids NAME: the processes of that name on the lab host, and in its machines.
host_pids() {
	# shellcheck disable=SC2016 # the inner shell expands
	"$lab" run sh -c 'for p in /proc/[0-9]*; do
		read -r name <"$p/comm" && [ "$name" = "$1" ] && echo "${p#/proc/}"; done; :' sh "$1" 2>/dev/null
}

# host_kill NAME: ends them without asking.
host_kill() {
	local pids
	pids=$(host_pids "$1") && [ -n "$pids" ] || return 1
	# shellcheck disable=SC2086 # a list
	"$lab" run sh -c 'kill -KILL "$@"' sh $pids
}

# events KIND: how often eyried's log tells of such an event.
events() { awk -v kind="$1" '$2 == kind' "$pool_dir/eyried.log" | wc -l; }
more_events() { [ "$(events "$1")" -gt "$2" ]; }

# renewals: how many new tokens VMs have taken.
renewals() {
	"$lab" run curl -s --unix-socket "$pool_socket" http://eyrie/metrics |
		sed -n 's/^eyrie_events_total{kind="renewed"} //p'
}
renewed() { local n && n=$(renewals) && [ "${n:-0}" -ge "$1" ]; }

# vm_rows: what eyrie knows of its VMs, a line for each: name, state, reason.
vm_rows() {
	eyrie vms 2>/dev/null | awk 'NR == 1 { at = index($0, "REASON") }
		NR > 1 && at && $2 != "foreign" { print $1 "\t" $2 "\t" substr($0, at) }'
}
# vms [STATE…]: how many there are, of these states.
vms() { vm_rows | awk -v states=" $* " 'states == "  " || index(states, " " $2 " ")' | wc -l; }
vms_are() { [ "$(vms "${@:2}")" = "$1" ]; }

# slot_rows: the slots of the virtual pool: name, state, activity, cpus, whose job.
slot_rows() {
	"$lab" exec vcm condor_status -af Name State Activity Cpus 'RemoteOwner ?: ""' 2>/dev/null
}

job_lease='' # seconds, of the jobs that are submitted; HTCondor's default is 40 minutes
# submit USER GROUP CPUS COUNT SECONDS [flagged]: prints the cluster.
submit() {
	local flag='' group="accounting_group = $2"
	[ "${6:-}" != flagged ] || flag='+VirtualPool = true'
	[ -n "$2" ] || group=''
	"$lab" exec -u "$1" schedd condor_submit -terse <<END | cut -d. -f1
executable = /bin/sleep
transfer_executable = false
should_transfer_files = yes
when_to_transfer_output = on_exit
arguments = $5
request_cpus = $3
request_memory = 128
request_disk = 1024
$group
$flag
${job_lease:+job_lease_duration = $job_lease}
queue $4
END
}

# jobs_in_queue [CONSTRAINT]: how many there are.
jobs_in_queue() {
	"$lab" exec schedd condor_q -allusers -constraint "${1:-true}" -af ClusterId | wc -l
}

# job_table: a line for each job that has left the queue:
# cluster proc owner group flagged cpus submitted started ended host exit-code starts status
job_table() {
	"$lab" exec schedd condor_history -af:t ClusterId ProcId Owner 'AcctGroup ?: "-"' \
		'VirtualPool =?= true' RequestCpus QDate JobStartDate CompletionDate \
		'LastRemoteHost ?: "-"' ExitCode NumJobStarts JobStatus |
		sort -n
}

virsh_lab() { "$lab" run virsh -q -c "$pool_uri" "$@"; }

# What a pool that is done must not leave behind; each prints a number.
left_domains() { virsh_lab list --all --name | grep -c '^vpool-' || true; }
left_disks() { virsh_lab vol-list eyrie | grep -c '\.disk ' || true; }
left_seeds() { virsh_lab vol-list eyrie | grep -c '\.seed ' || true; }
left_qemus() { host_pids qemu-system-x86 | wc -l; }
left_slots() { "$lab" exec vcm condor_status -af Name | wc -l; }

# An IDTOKEN signed with the pool's key, wherever it is. The brackets: the pattern is not one itself.
token_pattern='[e]yJhbGciOiJIUzI1NiIsImtpZCI6IkVZUklFI[A-Za-z0-9_-]*\.[A-Za-z0-9_-]+\.'
# tokens_all: the files that hold one, wherever eyried, libvirt and QEMU write on the lab host.
tokens_all() {
	"$lab" run grep -rlsaE "$token_pattern" "$pool_dir" "$EYRIE_LAB"/*.log /run/lab/libvirt \
		/run/lab/images /run/libvirt /var/log/libvirt /var/lib/libvirt
}
left_tokens() { tokens_all | wc -l; }

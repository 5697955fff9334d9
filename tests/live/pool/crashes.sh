#!/bin/bash
# kill -9 at any point is a normal way to stop. It happens here to eyried, to eyrie-host and to
# libvirtd, each of them while VMs are being created and again while one drains. Each time the pool
# must come to what it would have come to anyway: no VM twice, none left over, no job lost.
#
# All the while there is a stranger on the host: a domain that looks like one of Eyrie's by name, but
# does not bear its metadata. It is shown, and never touched.
set -eu

here=$(dirname "$0")
# shellcheck source=tests/live/tap.sh
. "$here/../tap.sh"
# shellcheck source=scripts/lib/stage.sh
. "$here/../../../scripts/lib/stage.sh"
# shellcheck source=scripts/lib/pool.sh
. "$EYRIE_SOURCE/scripts/lib/pool.sh"

stranger=vpool-small-11111111
stranger_uuid=11111111-1111-4111-8111-111111111111
stranger_disk=vpool.$stranger_uuid.disk

# A domain that runs, and a volume of its own with a name as Eyrie gives them.
stranger_create() {
	virsh_lab create /dev/stdin >/dev/null <<-END &&
		<domain type='qemu'>
		  <name>$stranger</name><uuid>$stranger_uuid</uuid><memory unit='MiB'>32</memory>
		  <os><type arch='x86_64'>hvm</type></os>
		</domain>
	END
		virsh_lab vol-create-as eyrie "$stranger_disk" 1M >/dev/null
}
# What would change if somebody touched it: its process, state, description and volume.
stranger_facts() {
	host_pids qemu-system-x86 | while read -r pid; do
		"$lab" run grep -lsa "guest=$stranger," "/proc/$pid/cmdline" || true
	done
	virsh_lab domid "$stranger"
	virsh_lab domstate "$stranger"
	virsh_lab vol-info "$stranger_disk" --pool eyrie
}
stranger_shown() { eyrie vms | grep "^$stranger " | grep -q foreign; }

# How many VMs of ours there were at once at most, and in all; from what was watched.
others() { grep '^vms' "$pool_dir/watched" | sed "s/ $stranger//"; }
most_vms() { others | awk 'NF - 2 > most { most = NF - 2 } END { print most + 0 }'; }
all_vms() { others | tr ' ' '\n' | grep '^vpool-' | sort -u | wc -l; }

running() { [ "$(jobs_in_queue 'JobStatus == 2')" = "$1" ]; }
queue_is_empty() { [ "$(jobs_in_queue)" = 0 ]; }
# done_once CLUSTER COUNT: so many jobs of it ended well, each started once.
done_once() {
	[ "$(job_table | awk -F'\t' -v c="$1" '$1 == c && $11 == 0 && $12 == 1 && $13 == 4' | wc -l)" = "$2" ] ||
		{ job_table | sed 's/^/# /' && false; }
}
all_left() { [ "$(vms)" = 0 ]; }
only_the_stranger_is_left() {
	equal "$(left_domains) domains" '1 domains' && equal "$(left_qemus) QEMUs" '1 QEMUs' &&
		equal "$(left_disks) disks" '1 disks' && equal "$(left_seeds) seeds" '0 seeds' &&
		equal "$(left_slots) slots" '0 slots' && equal "$(left_tokens) tokens" '0 tokens'
}
# A disk may be seen, and deleted, by the look after.
soon_only_the_stranger() { wait_for 60 only_the_stranger_is_left >/dev/null || only_the_stranger_is_left; }
the_pool_is_empty_again() {
	ok 'the queue is empty' wait_for 300 queue_is_empty
	ok "no job is lost: each ended well, and was started once" done_once "$1" "$2"
	ok 'the VMs leave' wait_for 300 all_left
	ok 'nothing is left of them' soon_only_the_stranger
}

creating() { more_events create "$creates"; }
create_begins() { creates=$1 && wait_for 60 creating; }
draining() { more_events drain "$drains"; }
drain_begins() { drains=$1 && wait_for 180 draining; }
vm_exists() { [ "$(virsh_lab list --name | grep -c '^vpool-')" -gt 1 ]; }

trap pool_end EXIT
trap 'exit 130' INT TERM
pool_ready debian13
rm -f "$pool_dir/watched"
pool_configure vms=2 idle=5s poweroff=20s
stranger_create
"$lab" run "$here/watch" "$pool_dir/watched" &
pool_start
before=$(stranger_facts)
ok 'a domain without our metadata is shown as foreign, whatever its name' wait_for 10 stranger_shown

note 'eyried'
# Long enough for both to run at once also when the kill falls between the two creates: one that was
# never sent holds its place under the limit for two minutes, until it is settled.
cluster=$(submit alice juno 2 2 200 flagged)
create_begins 0
ok 'eyried is killed as it creates VMs' pool_kill
pool_start
wait_for 150 vm_exists
ok 'and again as they boot' pool_kill
pool_start
ok 'both jobs run' wait_for 300 running 2
ok 'in the two VMs that they needed, and there were never more' equal "$(most_vms) of $(all_vms)" '2 of 2'
pool_stop
pool_configure vms=2 idle=5s poweroff=20s join=20s max_age=20s # from now on both VMs are too old
pool_start
ok 'VMs that are too old drain' drain_begins 0
ok 'eyried is killed as they do' pool_kill
pool_start
ok 'with the jobs still there' not queue_is_empty
the_pool_is_empty_again "$cluster" 2
pool_stop
pool_configure vms=2 idle=5s poweroff=20s
pool_start

for who in eyrie-host libvirtd; do
	note "$who"
	created=$(events create) drained=$(events drain) all=$(all_vms)
	cluster=$(submit bob lhaaso 2 1 15 flagged)
	create_begins "$created"
	ok "$who is killed as it creates a VM" host_kill "$who"
	ok 'the job runs' wait_for 300 running 1
	# A create that was cut off keeps its place under the limits until it is settled. A domain may come of it all the
	# same, beside the one that was made instead; that leaves, too.
	ok 'with no more VMs than may be, and the stranger' [ "$(left_domains)" -le 3 ]
	drain_begins "$drained"
	ok "$who is killed as the VM drains" host_kill "$who"
	the_pool_is_empty_again "$cluster" 1
	note "$who: VMs that ever ran for the one job: $(($(all_vms) - all))"
done

ok 'there were never more VMs than the two that the limit allows' equal "$(most_vms)" 2
ok 'nobody touched the stranger' equal "$(stranger_facts)" "$before"
ok 'no token was in any arguments' not grep -q '^token' "$pool_dir/watched"
ok 'eyried ends when asked' pool_stop
note "$(pool_lives)"
tap_end

# shellcheck shell=bash
# What becomes of a pool whose ledger cannot be written, read or found, and which of two eyrieds goes on.
# Sourced by run, whose helpers it uses.
# shellcheck disable=SC2154 # set there

ours=22222222-3333-4444-8555-666666666666

# with_a_vm [GENERATION]: a host that has a VM of ours, which outlives eyried and its worker.
with_a_vm() {
	sed "s|</node>|<domain type='test'><name>vpool-small-22222222</name><uuid>$ours</uuid>\\n\
<metadata><eyrie:vm xmlns:eyrie='$(sed -n 's/.*VM_NAMESPACE "\(.*\)"/\1/p' "$source_dir/controller/host/vm.h")' pool='vpool' uuid='$ours' template='small' generation='${1:-1}' group='juno' request='' exclusive='false' born='$(date +%s)000000'/></metadata>\\n\
<memory>2097152</memory><vcpu>2</vcpu><os><type>hvm</type></os></domain></node>|" \
		"$source_dir/controller/host/test-node.xml" >"$T/node.xml"
	sed -i "s|test://[^\"]*|test://$T/node.xml|" "$T/eyrie.yaml"
}
says() { grep -qE "$1" <<<"$(eyrie status)"; }
healthy() { eyrie status >/dev/null; }
is_known() { eyrie vms -o json | grep -q "$ours"; }
change_ledger() { # SQL
	python3 -c 'import sqlite3, sys
c = sqlite3.connect(sys.argv[1]); c.executescript(sys.argv[2]); c.commit()' "$T/state/ledger.sqlite" "$1"
}
ask_ledger() { # SQL: the first row
	python3 -c 'import sqlite3, sys
print(*sqlite3.connect(sys.argv[1]).execute(sys.argv[2]).fetchone())' "$T/state/ledger.sqlite" "$1"
}

test_a_pool_without_its_ledger_is_rebuilt_from_hosts_and_slots() {
	write_config
	start || return
	idle_jobs alice juno 2 1
	until_true 'a VM, to see its generation' has_one_vm || return
	stop
	no_jobs
	local generation
	generation=$(ask_ledger 'SELECT generation FROM vm')
	rm "$T"/state/ledger.sqlite*
	with_a_vm "$generation"
	slot_ads Claimed Busy "$ours"
	sed -i "s/\"EyrieGeneration\": \"1\"/\"EyrieGeneration\": \"$generation\"/" "$T/condor/slots"
	start || return
	until_true 'it is adopted' grep -q 'adopted vpool-small-22222222' "$T/log" || return
	until_true 'it is busy' is_state "$ours" busy || return
	stop KILL
	rm "$T"/state/ledger.sqlite*
	start || return
	until_true 'it is busy again' is_state "$ours" busy || return
	[ "$(grep -c 'adopted vpool-small-22222222' "$T/log")" = 2 ] || fail 'it was not adopted again' || return
	idle_jobs alice juno 2 2
	until_true 'one VM more, which is all that its group may have' has_a_new_vm || return
	never 'a second one' has_two_new_vms || return
	[ "$(grep -cE ' (drain|poweroff|destroy) vpool' "$T/log")" = 0 ] || fail 'a busy VM was not left alone'
}
has_a_new_vm() { [ "$(uuids | grep -cv "^$ours")" = 1 ]; }
has_two_new_vms() { [ "$(uuids | grep -cv "^$ours")" -gt 1 ]; }

test_a_damaged_ledger_is_moved_aside_at_the_start() {
	write_config
	with_a_vm
	start || return
	until_true 'the VM is known' is_known || return
	stop
	printf 'what is this' | dd of="$T/state/ledger.sqlite" conv=notrunc status=none
	start || return
	has "the ledger was damaged; it is kept as $T/state/ledger.sqlite.damaged-" "$(eyrie status)" || return
	eyrie status >/dev/null
	[ $? = 3 ] || fail 'status is not 3 (degraded)' || return
	grep -q 'what is this' "$T"/state/ledger.sqlite.damaged-*Z || fail 'it is not kept' || return
	idle_jobs alice juno 2 1
	until_true 'a VM is started' has_a_new_vm || return
	is_known || fail 'the VM is not known any more'
}

test_a_ledger_that_is_damaged_meanwhile_is_written_anew() {
	write_config
	with_a_vm
	start || return
	until_true 'the VM is known' is_known || return
	eyrie pause --yes >/dev/null || fail "pause: $?" || return
	change_ledger "PRAGMA writable_schema = ON; UPDATE sqlite_schema SET sql = 'x' WHERE name = 'event'; PRAGMA schema_version = 999"
	idle_jobs alice juno 2 1
	eyrie cordon hv1 --yes >/dev/null # something to write down
	until_true 'it is said' says 'the ledger was damaged; it is kept as ' || return
	until_true 'all is written again' grep -q 'ledger-back' "$T/log" || return
	stop KILL
	start || return
	until_true 'the VM is known' is_known || return
	until_true 'the pool is paused as it was' grep -q '"paused": *true' <(eyrie status -o json) || return
	never 'a VM is started' has_a_new_vm
}

test_a_second_machine_waits_until_the_lease_is_over() {
	write_config
	start || return
	stop KILL
	change_ledger "UPDATE lease SET host = 'elsewhere', pid = 17, boot = 'k', until = ($(date +%s) + 3600) * 1000000"
	local said
	said=$("$build/controller/eyried" -c "$T/eyrie.yaml" 2>&1)
	[ $? = 1 ] || fail 'it did not fail' || return
	has 'another eyried .process 17 on elsewhere. holds .*/ledger.sqlite for (59m[0-9]+s|1h) more' "$said" || return
	change_ledger "UPDATE lease SET until = $(date +%s) * 1000000"
	start || return
	stop
	[ "$(ask_ledger 'SELECT until FROM lease')" = 0 ] || fail 'it was not given back'
}

# What follows mounts file systems.
if [ "$(id -u)" = 0 ]; then

# small_state SIZE: the state folder on a disk of its own.
small_state() { mount -t tmpfs -o "size=$1" none "$T/state"; }
fill() { head -c 10M /dev/zero >"$T/state/fill" 2>/dev/null || true; }

test_a_full_disk_stops_creates_and_nothing_else() {
	idle=2s write_config
	small_state 1m || return
	start || return
	idle_jobs alice juno 1 1
	until_true 'one VM' has_one_vm || return
	local uuid known
	uuid=$(uuids)
	fill
	slot_ads Claimed Busy "$uuid"
	until_true 'it is busy' is_state "$uuid" busy || return
	until_true 'it is said' says 'nothing new can be written down, so no VM is started: .*full' || return
	idle_jobs alice juno 2 1
	until_true 'a create is refused' grep -q 'create-failed.*full' "$T/log" || return
	[ "$(count_uuids)" = 1 ] || fail "VMs: $(count_uuids)" || return
	# without the ledger, too, it is drained when it is idle, and not before
	no_jobs
	slot_ads Unclaimed Idle "$uuid"
	until_true 'it is drained' called 'condor_drain.*-graceful' || return
	rm "$T/state/fill"
	until_true 'all is well again' grep -q 'ledger-back' "$T/log" || return
	until_true 'and is said to be' healthy || return
	stop KILL
	known=$(ask_ledger 'SELECT joined > 0, drain_decided > 0 FROM vm WHERE closed = 0')
	[ "$known" = '1 1' ] || fail "what the disk had refused is not in the ledger: $known"
}

test_a_start_on_a_full_disk_knows_what_the_ledger_knew() {
	write_config
	with_a_vm
	small_state 1m || return
	start || return
	until_true 'the VM is known' is_known || return
	eyrie cordon hv1 --yes >/dev/null || fail "cordon: $?" || return
	stop KILL
	rm "$T/state/ledger.sqlite-shm"
	fill
	start || return
	until_true 'it is said' says 'nothing new can be written down' || return
	says 'hv1 is cordoned' || fail 'the order is not known' || return
	until_true 'the VM is known' is_known || return
	[ "$(grep -c 'adopted' "$T/log")" = 1 ] || fail 'what was known was adopted again' || return
	rm "$T/state/fill"
	until_true 'all is well again' grep -q 'ledger-back' "$T/log" || return
	eyrie uncordon hv1 --yes >/dev/null || fail "uncordon: $?" || return
	idle_jobs alice juno 2 1
	until_true 'a VM is started' has_a_new_vm
}

test_a_start_on_a_read_only_disk_goes_on_when_it_can_be_written() {
	write_config
	with_a_vm
	small_state 1m || return
	start || return
	until_true 'the VM is known' is_known || return
	eyrie pause --yes >/dev/null || fail "pause: $?" || return
	stop KILL
	until_true 'nobody writes to it any more' mount -o remount,ro "$T/state" 2>/dev/null || return
	start || return
	until_true 'it is said' says 'nothing new can be written down' || return
	has 'paused by' "$(eyrie status)" || return
	until_true 'the VM is known' is_known || return
	local said
	said=$("$build/controller/eyried" -c "$T/eyrie.yaml" 2>&1)
	[ $? = 1 ] || fail 'a second one did not fail' || return
	has 'another eyried .*holds' "$said" || return
	mount -o remount,rw "$T/state" || return
	until_true 'all is well again' grep -q 'ledger-back' "$T/log" || return
	eyrie resume --yes >/dev/null || fail "resume: $?" || return
	idle_jobs alice juno 2 1
	until_true 'a VM is started' has_a_new_vm
}

fi

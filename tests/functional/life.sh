# shellcheck shell=bash
# The life of a VM that gets no job, and what is made of it. Sourced by run, whose helpers it uses.
# shellcheck disable=SC2154 # set there

# One that fails rests for so long that the test sees it.
jobless_config() {
	write_config
	sed -i 's/rest_after_failure: 1s, rest_at_most: 2s/rest_after_failure: 1h, rest_at_most: 1h, first_job_within: 2s/' "$T/eyrie.yaml"
}
given_up() { grep -q 'start-failed' <<<"$(eyrie events)"; }

test_a_vm_that_gets_no_job_counts_against_host_template_and_group() {
	jobless_config
	start || return
	idle_jobs alice juno 1 2
	until_true 'one VM' has_one_vm || return
	local uuid
	uuid=$(uuids)
	slot_ads Unclaimed Idle "$uuid"
	until_true 'it is drained' called 'condor_drain.*-graceful' || return
	until_true 'it is given up' given_up || return
	has 'start-failed.*got no job for .*counts against host hv1, template small, group juno' "$(eyrie events)" || return
	has 'given up' "$(eyrie explain vm "$uuid")" || return
	has 'of juno in a row got no job' "$(eyrie explain group juno)" || return
	never 'another VM' has_two_vms
}

test_a_vm_that_gets_no_job_counts_against_nobody_where_others_do() {
	jobless_config
	start || return
	idle_jobs alice juno 2 2
	until_true 'two VMs' has_two_vms || return
	local two
	mapfile -t two < <(uuids)
	mkdir -p "$T/aside/condor" # eyried sees both at once
	T=$T/aside slot_ads Unclaimed Idle "${two[@]}"
	sed '0,/"State": "Unclaimed", "Activity": "Idle"/s//"State": "Claimed", "Activity": "Busy"/' "$T/aside/condor/slots" >"$T/condor/slots.new"
	mv "$T/condor/slots.new" "$T/condor/slots"
	until_true 'one has a job' is_state "${two[0]}" busy || return
	until_true 'the other one is given up' given_up || return
	has "first-job vm-${two[0]}|first-job .*${two[0]:0:8}" "$(eyrie events)" || return
	has "start-failed .*${two[1]:0:8}" "$(eyrie events)" || return
	! grep -q 'counts against' <<<"$(eyrie events)" || fail 'somebody is blamed'
}

test_a_vm_of_an_image_that_changed_is_drained() {
	write_config
	start || return
	idle_jobs alice juno 2 1
	until_true 'a VM, to see its generation' has_one_vm || return
	stop
	no_jobs
	local generation
	generation=$(ask_ledger 'SELECT generation FROM vm')
	has '^[0-9a-f]{12}-01234567$' "$generation" || return
	rm "$T"/state/ledger.sqlite*
	with_a_vm "${generation%-*}-89abcdef"
	slot_ads Claimed Busy "$ours"
	start || return
	until_true 'it is drained' called 'condor_drain.*-graceful' || return
	has 'drain +vpool-small-22222222: its image debian13-condor.qcow2 is not what it was' "$(eyrie events)" || return
	until_true 'it waits for its job' is_state "$ours" draining || return
	has 'debian13-condor.qcow2 is as it was pushed .sha256 0123456789ab' "$(eyrie explain host hv1)"
}

test_a_changed_image_is_noticed() {
	write_config
	sed 's/-2147483648-0</-2147483647-0</' "$source_dir/controller/host/test-node.xml" >"$T/node.xml"
	sed -i "s|test://[^\"]*|test://$T/node.xml|" "$T/eyrie.yaml"
	start || return
	until_true 'it is an event' image_changed || return
	has 'image-changed +hv1: debian13-condor.qcow2' "$(eyrie events)" || return
	has 'debian13-condor.qcow2 was written to since' "$(eyrie explain host hv1)"
}
image_changed() { grep -q image-changed <<<"$(eyrie events)"; }

# The system's users may be in a directory that hangs: eyried asks by a child.
test_a_directory_that_hangs_holds_up_nobody_else() {
	write_config
	mkdir "$T/bin"
	cat >"$T/bin/getent" <<'END'
#!/bin/sh
echo "getent $*" >>"$FAKE_CONDOR/calls"
exec sleep 1000
END
	chmod 755 "$T" "$T/bin/getent"
	chmod 711 "$work"
	PATH=$T/bin:$PATH start || return
	setpriv --reuid 65534 --clear-groups -- "$build/controller/cli/eyrie" pause --yes >"$T/nobody" 2>&1 &
	local asker=$!
	until_true 'it is asked who that is' called 'getent passwd 65534' || return
	eyrie pause --yes >/dev/null || fail "root waits, too" || return
	eyrie resume --yes >/dev/null || return
	wait $asker && fail 'it was let in' && return 1
	has 'who uid 65534 is cannot be told' "$(cat "$T/nobody")"
}

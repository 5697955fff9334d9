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
	slot_ads Unclaimed Idle "${two[@]}"
	sed -i '0,/"State": "Unclaimed", "Activity": "Idle"/s//"State": "Claimed", "Activity": "Busy"/' "$T/condor/slots"
	until_true 'one has a job' is_state "${two[0]}" busy || return
	until_true 'the other one is given up' given_up || return
	has "first-job vm-${two[0]}|first-job .*${two[0]:0:8}" "$(eyrie events)" || return
	has "start-failed .*${two[1]:0:8}" "$(eyrie events)" || return
	! grep -q 'counts against' <<<"$(eyrie events)" || fail 'somebody is blamed'
}

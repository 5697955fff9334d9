# shellcheck shell=bash
# Capacity that groups book: each verb of eyrie request, each refusal, and that what was granted is
# there after a kill. Sourced by run, whose helpers it uses.
# shellcheck disable=SC2154 # set there

# In the file that write_config wrote: nobody may book for juno, carol's group is another.
booking_config() { # [LINE-OF-YAML…] at its end
	write_config
	sed -i 's/^  juno: .*/  juno: { max: 4, submitters: [alice, nobody] }\n  lhaaso: { submitters: [carol] }/' "$T/eyrie.yaml"
	printf '%s\n' "$@" >>"$T/eyrie.yaml"
}

# eyrie, as a user who is no admin.
as_submitter() {
	chmod 755 "$work" "$T"
	[ -e "$T/eyrie-of-nobody" ] || cp "$build/controller/cli/eyrie" "$T/eyrie-of-nobody"
	as_nobody "$@"
}
number_of_requests() { eyrie request list --all -o name | grep -c .; }
request_is() { # REQUEST STATE
	eyrie request show "$1" -o json | grep -q "\"state\": *\"$2\""
}

test_a_request_is_answered_at_once() {
	booking_config
	start || return
	local said
	said=$(eyrie request preview --group juno --cpus 3 --from 2099-12-01T20:00 --for 36h) || fail "preview: $?" || return
	has '^juno: 3 cpus as 2 × small \(2 cpus\), exclusive, 1 Dec 2099 20:00 – 3 Dec 2099 08:00 … would be granted$' "$said" || return
	[ "$(number_of_requests)" = 0 ] || fail 'a preview booked something' || return
	said=$(eyrie request add --group juno --cpus 3 --from 2099-12-01T20:00 --for 36h --reason calibration) || fail "add: $?" || return
	has '– 3 Dec 2099 08:00 … granted as r-1$' "$said" || return
	has '^VMs start from 1 Dec 2099 1[89]:.. so that they are ready at 20:00\. Submit with:  \+VirtualPool = True   \+EyrieRequest = "r-1"$' "$said" || return
	said=$(eyrie request list)
	has '^r-1 +granted +juno +[a-z]+ +3 +0/2 +small +2099-12-01T20:00 +2099-12-03T08:00 +0\.0/108\.0 +calibration$' "$said" || return
	[ "$(eyrie request list -o name)" = r-1 ] || fail 'not one name' || return
	said=$(eyrie request show r-1)
	has '^r-1 of juno: 3 cpus as 2 × small' "$said" || return
	has 'is granted, and begins in ' "$said" || return
	has '0 jobs that name it run, 0 wait' "$said" || return
	has "request-granted +r-1: juno: 3 cpus .* by $(id -un) .uid $(id -u).: calibration" "$(eyrie events)" || return
	"$build/controller/cli/eyrie" request show r-1 --watch=200ms >"$T/watched" &
	until_true 'it is shown again' shown_twice || return
	kill $! && ! wait $! # it would go on for ever
}
shown_twice() { [ "$(grep -c '^r-1 of juno' "$T/watched")" -ge 2 ]; }

test_a_request_that_has_no_room_is_refused_with_what_would_fit() {
	booking_config
	start || return
	eyrie request add --group lhaaso --vms 2 --from 2099-12-01T20:00 --for 4h >/dev/null || fail "add: $?" || return
	local said
	said=$(eyrie request add --group juno --vms 2 --from 2099-12-01T21:00 --for 1h 2>&1)
	[ $? = 1 ] || fail "not refused: $said" || return
	has 'refused: .*the limit is [36] .eyrie.yaml:5.; what would fit: 2 cpus 1 Dec 2099 21:00 – ' "$said" || return
	has '4 cpus 2 Dec 2099 0[01]:' "$said" || return
	said=$(eyrie request preview --group juno --vms 2 --from 2099-12-01T21:00 --for 1h -o json 2>/dev/null)
	[ $? = 1 ] || fail 'a preview answers otherwise' || return
	has '"offers": *\[ *\{ *"vms": *1,' "$said" || return
	[ "$(number_of_requests)" = 1 ] || fail 'what was refused is booked'
}

test_a_request_that_makes_no_sense_is_refused() {
	booking_config 'requests: grant' 'blackouts: [ { from: 2099-12-24, until: 2099-12-27, reason: no power } ]'
	sed -i 's/juno: { max: 4,/juno: { max: 4, requests: { max_cpus: 2, max_length: 1d, max_open: 1 },/' "$T/eyrie.yaml"
	start || return
	local arguments wanted said
	while IFS='|' read -r arguments wanted; do
		# shellcheck disable=SC2086 # words
		said=$(eyrie request add $arguments 2>&1) && fail "granted: $arguments" && return 1
		has "$wanted" "$said" || return
	done <<-END
		--vms 1 --for 1h|which group is it for
		--group jun0 --vms 1 --for 1h|there is no group "jun0"; did you mean juno
		--group juno --for 1h|how much. Give either --cpus or --vms
		--group juno --cpus 1 --vms 1 --for 1h|either --cpus or --vms
		--group juno --cpus none --for 1h|cpus=none is not a whole number
		--group juno --vms 1|how long. Give either --for
		--group juno --vms 1 --for soon|"soon" is not a duration
		--group juno --vms 1 --for 1h --until +1h|how long. Give either --for
		--group juno --vms 1 --from tomorrow --for 1h|"tomorrow" is not a time, such as
		--group juno --vms 1 --from 2001-01-01 --for 1h|ends
		--group juno --vms 1 --template smal --for 1h|no template "smal"; did you mean small.; group juno has small
		--group juno --vms 2 --for 1h|juno may book 2 at once .eyrie.yaml:1
		--group juno --vms 1 --for 2d|1d.* .eyrie.yaml:1
		--group lhaaso --vms 1 --from 2099-12-25 --for 1h|no power
	END
	said=$(eyrie request add --group juno --vms 1 --all 2>&1)
	[ $? = 64 ] || fail "not a usage error: $said" || return
	has 'eyrie request add takes no --all' "$said" || return
	eyrie request add --group juno --vms 1 --from +2h --for 1h >/dev/null || fail "add: $?" || return
	said=$(eyrie request add --group juno --vms 1 --from +4h --for 1h 2>&1) && fail 'more than max_open' && return 1
	has 'eyrie.yaml:' "$said" || return
	said=$(eyrie request show r-7 2>&1) && fail 'a request that there is not' && return 1
	has 'there is no request "r-7"' "$said" || return
	said=$(eyrie request cancel r-7 2>&1) && fail 'a request that there is not' && return 1
	has 'there is no request "r-7" that could be changed' "$said"
}

test_a_group_is_booked_for_by_its_submitters_only() {
	[ "$(id -u)" = 0 ] || { echo '# needs root: nothing was tried'; return 0; }
	booking_config
	start || return
	local said
	said=$(as_submitter request add --group lhaaso --vms 1 --for 1h 2>&1)
	[ $? = 77 ] || fail "not refused with 77: $said" || return
	has 'nobody may not book for group lhaaso: groups.lhaaso.submitters .eyrie.yaml:1[0-9].' "$said" || return
	said=$(as_submitter request add --group juno --vms 1 --from +1h --for 1h) || fail "add: $? $said" || return
	has 'granted as r-1' "$said" || return
	has '^r-1 +granted +juno +nobody ' "$(eyrie request list)" || return
	eyrie request add --group lhaaso --vms 1 --from +1h --for 1h >/dev/null || fail "an admin: $?" || return
	as_submitter request cancel r-2 >/dev/null 2>&1
	[ $? = 77 ] || fail "another group's was cancelled" || return
	as_submitter request extend r-2 --for +1h >/dev/null 2>&1
	[ $? = 77 ] || fail "another group's was extended" || return
	as_submitter request deny r-1 >/dev/null 2>&1
	[ $? = 77 ] || fail 'who is no admin denied something' || return
	as_submitter request list >/dev/null || fail 'anyone may look' || return
	as_submitter request extend r-1 --for +1h >/dev/null || fail "extend: $?" || return
	as_submitter request cancel r-1 --why 'not needed' >/dev/null || fail "cancel: $?" || return
	has 'was cancelled at .* by nobody: not needed' "$(eyrie request show r-1)"
}

test_a_request_waits_for_an_admin_where_the_policy_says_so() {
	[ "$(id -u)" = 0 ] || { echo '# needs root: nothing was tried'; return 0; }
	booking_config 'requests: approve'
	start || return
	local said
	said=$(as_submitter request add --group juno --vms 2 --from 2099-12-01T20:00 --for 2h) || fail "add: $?" || return
	has '… waits for an admin as r-1$' "$said" || return
	as_submitter request add --group juno --vms 1 --from 2099-12-01T20:00 --for 2h >/dev/null || fail "second: $?" || return
	stop KILL
	start || return
	has '^r-1 +waiting ' "$(eyrie request list)" || return
	until_true 'the status tells admins' says_two_wait || return
	said=$(eyrie request approve r-1 --why 'go ahead') || fail "approve: $?" || return
	has '… granted as r-1$' "$said" || return
	said=$(eyrie request approve r-2 2>&1) && fail 'there was room for one only' && return 1
	has 'refused: ' "$said" || return
	eyrie request deny r-2 --why 'no room' >/dev/null || fail "deny: $?" || return
	has "was denied at .* by $(id -un): no room" "$(eyrie request show r-2)" || return
	said=$(as_submitter request extend r-1 --for +1h 2>&1)
	[ $? = 77 ] || fail "extended without an admin: $said" || return
	has 'requests.answer is approve .eyrie.yaml:' "$said" || return
	eyrie request extend r-1 --for +1h >/dev/null || fail "extend: $?" || return
	has '2099-12-01T23:00' "$(eyrie request list)" || return
	said=$(eyrie request deny r-1 2>&1) && fail 'what is granted was denied' && return 1
	has 'r-1 is granted already' "$said"
}

test_a_request_that_was_granted_is_there_after_a_kill() {
	booking_config
	start || return
	local round said
	for round in 1 2 3; do
		said=$(eyrie request add --group juno --vms 1 --from "209$round-12-01T20:00" --for 2h) || fail "add: $?" || return
		stop KILL
		has "granted as r-$round" "$said" || return
		start || return
		has "^r-$round +granted " "$(eyrie request list)" || return
	done
	eyrie request cancel r-2 >/dev/null || fail "cancel: $?" || return
	stop KILL
	start || return
	request_is r-2 cancelled || fail 'the cancel was forgotten' || return
	[ "$(eyrie request list -o name | tr '\n' ' ')" = 'r-1 r-3 ' ] || fail 'not those that are left' || return
	[ "$(number_of_requests)" = 3 ] || fail 'the history is not whole'
}

# Killed at any moment while requests are asked for: those that were answered are there.
test_a_kill_in_the_middle_loses_no_request_that_was_answered() {
	booking_config
	: >"$T/answers"
	local round day=0 asking
	for round in 1 2 3; do
		start || return
		while day=$((day + 1)) && eyrie request add --group juno --vms 1 --from +"$day"d --for 1h; do :; done \
			>>"$T/answers" 2>/dev/null &
		asking=$!
		until_true 'some are answered' answered $((round * 8)) || return
		stop KILL
		wait "$asking"
		day=$((round * 1000))
	done
	start || return
	eyrie request list --all -o name | sort >"$T/there"
	sed -n 's/.* granted as //p' "$T/answers" | sort >"$T/granted"
	[ -z "$(uniq -d "$T/granted")" ] || fail 'a name was given twice' || return
	[ -z "$(comm -23 "$T/granted" "$T/there")" ] || fail "lost: $(comm -23 "$T/granted" "$T/there" | tr '\n' ' ')"
}
answered() { [ "$(grep -c 'granted as' "$T/answers")" -ge "$1" ]; }

says_two_wait() { grep -qE '^requests +2 waiting for an admin' <<<"$(eyrie status)"; }

# vm_of REQUEST
vm_of() { eyrie request show "$1" | sed -n 's/^ *vm *\([^ ]*\) on .*/\1/p' | head -n 1; }
has_vm_of() { [ -n "$(vm_of "$1")" ]; }
lost_vm_of() { ! has_vm_of "$1"; }
is_used() { eyrie request show "$1" -o json | grep -q '"used": *[1-9]'; }

test_a_request_has_its_vms_until_it_is_cancelled() {
	booking_config
	start || return
	local uuid said
	eyrie request add --group juno --vms 1 --for 2h >/dev/null || fail "add: $?" || return
	until_true 'its VM' has_vm_of r-1 || return
	uuid=$(uuids)
	has '0 of 1 VMs are up, 1 are being started' "$(eyrie request show r-1)" || return
	slot_ads Unclaimed Idle "$uuid"
	until_true 'it is idle' is_state "$uuid" idle || return
	has '1 of 1 VMs are up' "$(eyrie request show r-1)" || return
	claimed "$uuid" 7.1
	until_true 'a job of it was seen' is_used r-1 || return
	until_true 'its cpu time is counted' has_cpu_time r-1 || return
	said=$(eyrie request cancel r-1) || fail "cancel: $?" || return
	has '… r-1 cancelled: its 1 VMs take no more jobs, and go when the last job has ended .1 slots' "$said" || return
	until_true 'it is drained' called 'condor_drain.*-graceful' || return
	never 'a power-off while a job runs' is_state "$uuid" leaving || return
	slot_ads Drained Idle "$uuid"
	until_true 'it is gone' no_vms || return
	stop KILL
	start || return
	has 'r-1 +cancelled' "$(eyrie request list --all)" || return
	has_cpu_time r-1 || fail 'what was delivered is forgotten'
}
has_cpu_time() { # REQUEST: of two cpus, for more than one look
	[ "$(eyrie request show "$1" -o json | sed -n 's/.*"cpu_time": *\([0-9]*\).*/\1/p')" -ge 4000000 ]
}

test_a_request_that_nobody_uses_is_handed_back() {
	booking_config
	sed -i 's/^timing: {/timing: { give_back_after: 2s,/' "$T/eyrie.yaml"
	start || return
	eyrie request add --group juno --vms 1 --for 2h >/dev/null || fail "add: $?" || return
	until_true 'its VM' has_vm_of r-1 || return
	slot_ads Unclaimed Idle "$(uuids)"
	until_true 'it is handed back' request_is r-1 handed-back || return
	has 'was handed back at .*: nobody used it' "$(eyrie request show r-1)" || return
	has 'request-handed-back +r-1: juno, of .*: its VMs were idle for 2s' "$(eyrie events)" || return
	until_true 'its VM is drained' called 'condor_drain.*-graceful'
}

test_a_request_ends_when_its_time_is_over() {
	booking_config
	start || return
	eyrie request add --group juno --vms 1 --for 3s >/dev/null || fail "add: $?" || return
	until_true 'it has ended' request_is r-1 ended || return
	has 'request-ended +r-1: .*cpu-hours were delivered' "$(eyrie events)" || return
	local said
	said=$(eyrie request extend r-1 --for +1h 2>&1) && fail 'what is over was extended' && return 1
	has 'r-1 is ended, there is nothing to change' "$said" || return
	has '^Nothing is booked' "$(eyrie request list)"
}

test_a_job_that_names_a_request_is_told_what_it_waits_for() {
	booking_config
	start || return
	eyrie request add --group lhaaso --vms 1 --from 2099-12-01T20:00 --for 2h >/dev/null || fail "add: $?" || return
	local request
	for request in r-1 r-2; do
		idle_jobs alice juno '2, "EyrieRequest": "'"$request"'"' 1 # never without its name
		one_job "\"VirtualPool\": true, \"FlockTo\": \"vcm, default\", \"JobStatus\": 1, \"EyrieRequest\": \"$request\""
		until_true "why it waits for $request" waits_for "the request $request, which their group does not have" || return
	done
	never 'a VM for it' has_one_vm || return
	eyrie request add --group juno --vms 1 --from 2099-12-01T20:00 --for 2h >/dev/null || fail "add: $?" || return
	until_true 'it waits for the beginning' waits_for 'request r-2 begins in' || return
	has 'request r-2 is from 1 Dec 2099 20:00 until 1 Dec 2099 22:00: it begins in [0-9]+d' "$(eyrie explain job 12.3)"
}
waits_for() { grep -qE "waits.*$1" <<<"$(eyrie explain job 12.3)"; }

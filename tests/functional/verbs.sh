# shellcheck shell=bash
# What eyrie's verbs do to a real eyried: orders of admins, the history, one job explained. Sourced by
# run, whose helpers it uses.
# shellcheck disable=SC2154 # set there

# claimed UUID JOB: as slot_ads, with a job in it.
claimed() {
	slot_ads Claimed Busy "$1"
	sed -i "s/\"MyType\"/\"JobId\": \"$2\", \"MyType\"/" "$T/condor/slots"
}

test_a_cordoned_host_takes_no_vm_until_uncordoned() {
	write_config
	start || return
	local said
	said=$(eyrie cordon hv2 --yes 2>&1)
	[ $? = 1 ] || fail 'an unknown host is no error' || return
	has 'no host "hv2"; did you mean hv1' "$said" || return
	eyrie cordon hv1 --yes --reason 'new disks' >/dev/null || fail "cordon: $?" || return
	idle_jobs alice juno 1 1
	never 'a VM' has_one_vm || return
	stop KILL
	start || return
	never 'a VM, after a restart' has_one_vm || return
	has '^hv1 +cordoned' "$(eyrie hosts)" || return
	has "by $(id -un) .* ago: new disks" "$(eyrie explain host hv1)" || return
	has "hv1 is cordoned by $(id -un) .*new disks" "$(eyrie status)" || return
	said=$(eyrie cordon hv1) || fail 'what is so already needs no --yes' || return
	has 'hv1 is cordoned already' "$said" || return
	eyrie uncordon hv1 --yes >/dev/null || fail "uncordon: $?" || return
	until_true 'a VM' has_one_vm || return
	has "cordoned +hv1: by $(id -un) .uid $(id -u).: new disks" "$(eyrie events --host hv1)"
}

test_a_vm_that_an_admin_drains_goes_whatever_the_demand() {
	write_config
	start || return
	idle_jobs alice juno 2 2
	until_true 'two VMs' has_two_vms || return
	local uuid said
	uuid=$(uuids | head -n 1)
	claimed "$uuid" 7.1
	until_true 'it is busy' is_state "$uuid" busy || return
	eyrie drain "$uuid" --yes --reason 'slow disk' >/dev/null || fail "drain: $?" || return
	until_true 'it is drained' called 'condor_drain.*-graceful' || return
	# The test driver's domains end with the worker, and what is gone is forgotten with its order:
	# facts that are not there yet keep it.
	touch "$T/condor/condor_status.hangs"
	stop KILL
	start || return
	has "drained by $(id -un) .*slow disk" "$(eyrie explain vm "$uuid")" || return
	has "drained by $(id -un) .*slow disk" "$(eyrie vms)" || return
	said=$(eyrie drain "$uuid" --cancel --yes) || fail "cancel: $?" || return
	has 'is not drained any more' "$said" || return
	has 'drain-taken-back' "$(eyrie events --vm "$uuid")" || return
	until_true 'it is not said to be drained any more' no_slow_disk # that takes a step
}
no_slow_disk() { ! grep -q 'slow disk' <<<"$(eyrie vms)"; }

test_a_vm_is_given_up_with_its_jobs_only_after_a_yes() {
	write_config
	start || return
	idle_jobs alice juno 2 1
	until_true 'one VM' has_one_vm || return
	local uuid said
	uuid=$(uuids)
	claimed "$uuid" 7.1
	until_true 'it is busy' is_state "$uuid" busy || return
	said=$(eyrie drain "$uuid" --now 2>&1)
	[ $? = 64 ] || fail 'done without a yes' || return
	has 'is lost .7.1 in' "$said" || return
	has 'needs --yes' "$said" || return
	said=$(printf 'n\n' | script -qec "$build/controller/cli/eyrie drain $uuid --now" /dev/null)
	[ $? = 1 ] || fail 'done after a no' || return
	has 'Nothing was done' "$said" || return
	never 'it is powered off' is_state "$uuid" leaving || return
	no_jobs
	said=$(printf 'y\n' | script -qec "$build/controller/cli/eyrie drain $uuid --now" /dev/null) ||
		fail "not done after a yes: $said" || return
	until_true 'it is powered off' grep -q "poweroff .*$(id -un) asked for it at once, 1 slot claimed" "$T/log" || return
	: >"$T/condor/slots"
	until_true 'it is gone' is_gone "$uuid"
}
is_gone() { ! uuids | grep -q "$1"; }

test_a_stranger_may_look_but_not_change() {
	[ "$(id -u)" = 0 ] || { echo '# needs root: nothing was tried'; return 0; }
	write_config
	chmod 755 "$work" "$T"
	cp "$build/controller/cli/eyrie" "$T/eyrie-of-nobody"
	start || return
	local said
	said=$(as_nobody hosts) || fail 'nobody may not look' || return
	for line in 'pause --yes' 'cordon hv1' 'drain hv1 --now --yes' 'flock remove --yes'; do
		# shellcheck disable=SC2086
		said=$(as_nobody $line 2>&1)
		[ $? = 77 ] || fail "$line: not 77: $said" || return
		has "nobody may look but not change anything; access.admins in $T/eyrie.yaml" "$said" || return
	done
	stop
	echo "access: { admins: [nobody, no-such-user] }" >>"$T/eyrie.yaml"
	start || return
	has 'access-failed.*no-such-user' "$(cat "$T/log")" || return
	said=$(as_nobody pause --yes) || fail "an admin may not: $said" || return
	has 'paused.*by nobody' "$(eyrie events)" || return
	stop
	sed -i '/^access/d' "$T/eyrie.yaml"
	echo 'access: { admins: ["@daemon"] }' >>"$T/eyrie.yaml"
	start || return
	as_nobody resume --yes >/dev/null 2>&1
	[ $? = 77 ] || fail 'no member of the group may' || return
	as_nobody_of daemon resume --yes >/dev/null || fail 'a member of the group may not'
}
as_nobody() { setpriv --reuid nobody --regid nogroup --clear-groups "$T/eyrie-of-nobody" "$@"; }
as_nobody_of() { # GROUP …: that is one of its supplementary groups
	local group=$1
	shift
	setpriv --reuid nobody --regid nogroup --groups "$group" "$T/eyrie-of-nobody" "$@"
}

test_the_history_is_told_and_goes_on() {
	write_config
	start || return
	"$build/controller/cli/eyrie" events --follow >"$T/followed" 2>"$T/followed.err" &
	local follower=$! future said
	"$build/controller/cli/eyrie" events --follow --since 2100-01-01 >"$T/future" &
	future=$!
	idle_jobs alice juno 1 1
	until_true 'one VM' has_one_vm || return
	until_true 'the create is told' grep -q ' create  *vpool-small-.*: 1 idle job wants it' "$T/followed" || return
	stop KILL
	start || return
	until_true 'after a restart it goes on' told_two_starts || return
	kill "$follower" "$future"
	wait "$follower" "$future" 2>/dev/null
	[ ! -s "$T/future" ] || fail 'what was before --since is told' || return
	[ -z "$(sort "$T/followed" | uniq -d)" ] || fail 'an event was told twice' || return
	has 'create' "$(eyrie events --vm "$(grep -o 'vpool-small-[0-9a-f]*' "$T/followed" | head -n 1)")" || return
	[ "$(eyrie events -n 2 | wc -l)" = 2 ] || fail '-n 2 is not two lines' || return
	[ "$(eyrie events --since 1h -o json | grep -o '"kind": *"started"' | wc -l)" = 2 ] ||
		fail 'not two starts in the last hour' || return
	said=$(eyrie events --vm zebra 2>&1)
	[ $? = 1 ] || fail 'an unknown VM is no error' || return
	has 'no VM "zebra"' "$said"
}
told_two_starts() { [ "$(grep -c ' started ' "$T/followed")" = 2 ]; }

one_job() { # ATTRIBUTES: what the schedd says of any job it is asked for
	echo "[ { \"Owner\": \"alice\", \"AcctGroup\": \"juno\", \"RequestCpus\": 2, \"RequestMemory\": 100, \"RequestDisk\": 1000, $1 } ]" >"$T/condor/job.new"
	mv "$T/condor/job.new" "$T/condor/job"
}

test_a_job_that_nobody_recorded_is_explained() {
	write_config
	start || return
	idle_jobs alice juno 2 9
	until_true 'two VMs' has_two_vms || return
	local said uuid flagged='"VirtualPool": true, "FlockTo": "vcm, default"'
	said=$(eyrie explain job 7.1 2>&1)
	[ $? = 1 ] || fail 'a job that is not there is no error' || return
	has 'schedd has no job 7.1 in its queue' "$said" || return
	called 'condor_q -name schedd -pool cm -allusers 7.1 ' || fail 'the schedd was not asked' || return
	one_job "\"JobStatus\": 1, $flagged"
	until_true 'its shape is known' job_says 'of alice waits, as some like it do: juno uses 4 cpus and its max is 4 .eyrie.yaml:' || return
	one_job '"JobStatus": 1'
	has 'does not ask for the virtual pool: its attribute VirtualPool is not true' "$(eyrie explain job 7.1)" || return
	one_job '"JobStatus": 1, "VirtualPool": true'
	has 'submit it again' "$(eyrie explain job 7.1)" || return
	one_job "\"JobStatus\": 5, \"HoldReason\": \"no such file\", $flagged"
	has 'is held: no such file' "$(eyrie explain job 'schedd#7.1')" || return
	uuid=$(uuids | head -n 1)
	claimed "$uuid" 7.1
	until_true 'it is busy' is_state "$uuid" busy || return
	one_job "\"JobStatus\": 2, \"RemoteHost\": \"slot1_1@$uuid\", $flagged"
	has "runs in the VM vpool-small-${uuid:0:8} on host hv1" "$(eyrie explain job 7.1)" || return
	echo 'Failed to connect' >"$T/condor/condor_q.fails"
	said=$(eyrie explain job 7.1 2>&1)
	[ $? = 1 ] || fail 'a schedd that fails is no error' || return
	has 'schedd does not tell: .*Failed to connect' "$said"
}
job_says() { eyrie explain job 7.1 | grep -qE "$1"; }

# watched KEY: what a terminal shows on which the hosts are watched until that key is pressed.
watched() {
	local pid status
	mkfifo "$T/keys"
	TERM=xterm script -qec "$build/controller/cli/eyrie hosts --watch=60" /dev/null <"$T/keys" >"$T/screen" &
	pid=$!
	exec 9>"$T/keys"
	until_true 'it is drawn' grep -q hv1 "$T/screen" || return
	printf '%s' "$1" >&9
	until_true 'it ends' ended "$pid"
	status=$?
	exec 9>&-
	rm "$T/keys"
	[ $status = 0 ] || { kill "$pid"; return 1; }
	wait "$pid"
}
ended() { ! kill -0 "$1" 2>/dev/null; }

test_a_watched_view_leaves_the_terminal_as_it_was() {
	write_config
	start || return
	local key said
	for key in q $'\003'; do # that is ctrl-c
		watched "$key" || fail "exit status $?" || return
		said=$(cat "$T/screen")
		[[ $said == *$'\e[?1049h'*hv1*$'\e[?25h'*$'\e[?1049l'* ]] || fail "the screen stays: $said" || return
	done
	# elsewhere it is block after block, without a sequence for a terminal
	"$build/controller/cli/eyrie" hosts --watch=100ms >"$T/blocks" &
	local watcher=$!
	until_true 'two blocks' two_blocks || return
	kill "$watcher"
	wait "$watcher" 2>/dev/null
	! grep -q $'\e' "$T/blocks" || fail 'there is a sequence for a terminal in it' || return
	# and a reader that goes away ends it
	"$build/controller/cli/eyrie" hosts --watch=100ms | head -n 1 >"$T/head"
	has 'HOST' "$(cat "$T/head")"
}
two_blocks() { [ "$(grep -c ^HOST "$T/blocks")" -ge 2 ]; }

# exits STATUS COMMAND…
exits() {
	local status=$1 said
	shift
	said=$("$@" 2>&1)
	[ $? = "$status" ] || fail "$*: not $status: $said"
}

test_a_script_can_tell_by_the_exit_status() {
	write_config
	EYRIE_SOCKET=$T/nothing exits 69 "$build/controller/cli/eyrie" status || return
	start || return
	until_true 'all is well' exits 0 "$build/controller/cli/eyrie" status 2>/dev/null || return
	until_true 'and nothing is to be done' exits 0 "$build/controller/cli/eyrie" plan || return
	exits 1 "$build/controller/cli/eyrie" explain vm zebra || return
	exits 64 "$build/controller/cli/eyrie" stats || return
	exits 64 "$build/controller/cli/eyrie" pause </dev/null || return
	sed 's/max: 4/max: four/' "$T/eyrie.yaml" >"$T/bad.yaml"
	exits 78 "$build/controller/cli/eyrie" check "$T/bad.yaml" || return
	exits 78 "$build/controller/cli/eyrie" plan -c "$T/bad.yaml" || return
	idle_jobs alice juno 1 1
	until_true 'one VM' has_one_vm || return
	sed 's/max: 4/max: 2/' "$T/eyrie.yaml" >"$T/less.yaml"
	idle_jobs alice juno 2 2
	until_true 'two VMs' has_two_vms || return
	slot_ads Unclaimed Idle "$(uuids | head -n 1)" "$(uuids | tail -n 1)"
	until_true 'a lower max would drain one' exits 2 "$build/controller/cli/eyrie" plan -c "$T/less.yaml" || return
	echo broken >"$T/condor/condor_q.fails"
	stop
	sed -i 's/trust_for: [^ ,]*/trust_for: 2s/' "$T/eyrie.yaml"
	start || return
	until_true 'it is degraded' exits 3 "$build/controller/cli/eyrie" status
	# 77 is in a_stranger_may_look_but_not_change
}

# shellcheck shell=bash
# shellcheck disable=SC2154 # what run sets
# A policy that changes while the pool runs. Sourced by run.

# set_policy SED-EXPRESSION: saved as editors do it: a new file is renamed over the old one.
set_policy() { sed -i "$1" "$T/eyrie.yaml"; }
# overwrite_policy SED-EXPRESSION: saved as other editors do it: written into the file that is there.
overwrite_policy() { sed "$1" "$T/eyrie.yaml" >"$T/edited" && cat "$T/edited" >"$T/eyrie.yaml"; }
# second_host: a line of YAML for a host without domains.
second_host() {
	sed '/<domain/,/<\/domain>/d' "$source_dir/controller/host/test-node.xml" >"$T/hv2.xml"
	echo "  - { name: hv2, uri: \"test://$T/hv2.xml\", cpus: 16, memory: 16GiB, storage_pool: eyrie }"
}
add_second_host() { second_host >"$T/hv2.yaml" && set_policy "/name: hv1/r $T/hv2.yaml"; }
logged() { grep -qE "$1" "$T/log"; }
on_host() { eyrie vms | awk -v host="$1" '$0 ~ host' | grep -cE 'creating|booting|idle|busy'; }
some_on() { [ "$(on_host "$1")" != 0 ]; }
host_workers() { pgrep -P "$eyried_pid" -f "eyrie-host.*$1" | wc -l; }
no_worker() { [ "$(host_workers "$1")" = 0 ]; }
same_process() { [ "$(eyrie status -o json | grep -oE '"pid": *[0-9]+' | grep -oE '[0-9]+')" = "$eyried_pid" ]; }
has_n_vms() { [ "$(count_uuids)" = "$1" ]; }
is_well() { eyrie status >/dev/null; }
is_degraded() { eyrie status >/dev/null; [ $? = 3 ]; }

test_a_raised_limit_is_taken_over_when_the_file_is_saved() {
	write_config
	set_policy 's/vms: 3/vms: 1/'
	start || return
	idle_jobs alice juno 2 9
	until_true 'one VM' has_n_vms 1 || return
	never 'a second' has_n_vms 2 || return
	set_policy 's/vms: 1/vms: 2/'
	until_true 'a second VM' has_n_vms 2 || return
	logged 'policy limits.vms: 1 → 2 \(eyrie.yaml:5\)' || fail 'it was not said' || return
	logged 'policy-plan vpool: 1 create' || fail 'what it will do was not said' || return
	same_process || fail 'another process'
}

test_a_lowered_limit_drains_without_a_restart() {
	write_config
	start || return
	idle_jobs alice juno 2 2
	until_true 'two VMs' has_n_vms 2 || return
	# shellcheck disable=SC2046 # a list
	slot_ads Claimed Busy $(uuids)
	no_jobs
	until_true 'both are up' grep -q 'joined.*small' "$T/log" || return
	never 'a drain' called condor_drain || return
	overwrite_policy 's/vms: 3/vms: 1/'
	until_true 'one is drained' called 'condor_drain.*-graceful' || return
	logged 'drain .*the limit was lowered to 1 \(eyrie.yaml:5\)' || fail 'not for the limit' || return
	never 'a power-off' logged ' poweroff ' || return
	same_process || fail 'another process'
}

test_a_bad_file_changes_nothing_and_is_shown() {
	write_config
	start || return
	until_true 'all is well' is_well || return
	set_policy 's/cpus: 6,/cpus: 8oo,/; s/max: 4,/maxx: 4,/'
	until_true 'status is degraded' is_degraded || return
	local said
	said=$(eyrie status)
	has 'limits.cpus: "8oo" is not a number of cpus' "$said" || return
	has 'maxx: .*did you mean' "$said" || return
	said=$(eyrie reload 2>&1)
	[ $? = 78 ] || fail 'eyrie reload does not exit with 78' || return
	has 'eyrie.yaml:5:[0-9]+: limits.cpus: "8oo"' "$said" || return
	has 'maxx' "$said" || return
	has 'stays in force' "$said" || return
	idle_jobs alice juno 2 9
	until_true 'two VMs, by the policy from before' has_n_vms 2 || return
	set_policy 's/cpus: 8oo,/cpus: 6,/; s/maxx: 4,/max: 4,/'
	until_true 'all is well again' is_well
}

test_a_reload_says_what_it_changes_and_does() {
	write_config
	start || return
	idle_jobs alice juno 2 9
	until_true 'two VMs' has_n_vms 2 || return
	until_true 'no more' group_stopped || return
	local said
	sed 's/max: 4/max: 6/' "$T/eyrie.yaml" >"$T/new.yaml"
	until_true 'the preview has a change' previewed || return
	# eyried sees a saved file, too, and would say the same in its log: the command is to come first.
	kill -STOP "$eyried_pid"
	local clients asking
	clients=$(connections)
	mv "$T/new.yaml" "$T/eyrie.yaml"
	eyrie reload >"$T/said" &
	asking=$!
	until_true 'it is asked' more_connections "$clients" || clients=none
	kill -CONT "$eyried_pid"
	[ "$clients" != none ] || return
	wait "$asking" || fail "reload: $?" || return
	said=$(cat "$T/said")
	has 'groups.juno.max: 4 → 6 .eyrie.yaml:12' "$said" || return
	has '[+] create small on hv1 for juno' "$said" || return
	until_true 'a third VM' has_n_vms 3 || return
	said=$(eyrie reload) || fail "reload of the same: $?" || return
	has 'nothing has changed' "$said" || return
	has 'It changed .* ago .* asked for it.:' "$said" || return
	has 'groups.juno.max: 4 → 6 .eyrie.yaml:12' "$said" || return
	said=$(eyrie reload -o json) || fail "reload as JSON: $?" || return
	has '"changes": *\[ *\]' "$said"
}

connections() { grep -c " $T/socket" /proc/net/unix; } # it was bound under another name, and renamed
more_connections() { [ "$(connections)" -gt "$1" ]; }
previewed() { eyrie plan -c "$T/new.yaml" | grep -q '^+ create small on hv1 for juno'; }

test_a_file_that_did_not_change_is_no_reload() {
	write_config
	start || return
	touch "$T/eyrie.yaml"
	overwrite_policy ''
	set_policy 's/^pool:/# for people only\npool:/'
	never 'a reload' logged ' reloaded ' || return
	idle_jobs alice juno 2 9
	until_true 'the lines are those of the file as it is now' moved_line
}
moved_line() { eyrie explain group juno | grep -q 'its max is 4 .eyrie.yaml:13'; }

test_a_file_that_is_included_comes_changes_and_goes() {
	write_config
	sed -i '1i include: conf.d/*.yaml' "$T/eyrie.yaml"
	start || return
	idle_jobs alice juno 2 9
	until_true 'two VMs' has_n_vms 2 || return
	until_true 'no more' group_stopped || return
	mkdir "$T/conf.d"
	echo 'groups: { juno: { max: 6 } }' >"$T/conf.d/juno.yaml"
	until_true 'a third VM' has_n_vms 3 || return
	logged 'policy groups.juno.max: 4 → 6 \(conf.d/juno.yaml:1\)' || fail 'the file was not named' || return
	echo 'groups: { juno: { max: 6x } }' >"$T/conf.d/juno.yaml"
	until_true 'a bad one is shown' is_degraded || return
	has 'conf.d/juno.yaml:1:[0-9]+: groups.juno.max: "6x"' "$(eyrie status)" || return
	rm "$T/conf.d/juno.yaml"
	until_true 'without it all is as before' logged 'policy groups.juno.max: 6 → 4 \(eyrie.yaml:13\)' || return
	until_true 'all is well' is_well
}

test_a_sighup_takes_over_what_a_template_is_made_from() {
	write_config
	cp "$here/domain.xml" "$T/domain.xml"
	set_policy "s|{ domain: [^,]*|{ domain: $T/domain.xml|"
	start || return
	sed -i 's|<name>|<title>two</title><name>|' "$T/domain.xml"
	kill -HUP "$eyried_pid"
	until_true 'a new generation' logged 'policy templates.small.generation: [0-9a-f]+ → ' || return
	until_true 'by the signal' logged 'reloaded .*SIGHUP' || return
	same_process || fail 'another process'
}

test_a_host_is_added_while_the_pool_runs() {
	write_config
	set_policy '/name: hv1/s/cpus: 16/cpus: 5/' # two foreign domains have three
	start || return
	idle_jobs alice juno 2 2
	until_true 'a VM on hv1' some_on hv1 || return
	add_second_host
	until_true 'a VM on hv2' some_on hv2 || return
	logged 'policy hosts.hv2: added \(eyrie.yaml:9\)' || fail 'it was not said' || return
	[ "$(host_workers hv2)" = 1 ] || fail 'not one worker for it'
}

test_a_removed_host_is_drained_and_left() {
	write_config
	add_second_host
	start || return
	idle_jobs alice juno 2 2
	until_true 'a VM on each host' one_on_each || return
	# shellcheck disable=SC2046 # a list
	slot_ads Claimed Busy $(uuids)
	until_true 'both are up' both_busy || return
	no_jobs
	set_policy '/name: hv2/d'
	until_true 'the one on hv2 is drained' logged 'drain .*host hv2 is not in the policy any more' || return
	never 'it is given up while a job runs' no_worker hv2 || return
	[ "$(grep -c '^condor_drain' "$T/condor/calls")" = 1 ] || fail 'not one is drained' || return
	idle_jobs alice juno 2 1
	never 'a new VM there' too_many_vms || return
	# shellcheck disable=SC2046 # a list
	slot_ads Drained Idle $(uuids)
	until_true 'it is powered off' logged ' poweroff .*' || return
	until_true 'the host is let go' logged 'host-left hv2' || return
	until_true 'its worker ends' no_worker hv2 || return
	[ "$(host_workers test-node)" = 1 ] || fail 'hv1 lost its worker'
}
one_on_each() { [ "$(on_host hv1)" = 1 ] && [ "$(on_host hv2)" = 1 ]; }
both_busy() { [ "$(eyrie vms | grep -c ' busy ')" = 2 ]; }

test_a_host_removed_while_eyried_was_down_is_known_from_the_ledger() {
	trust=4s write_config
	add_second_host
	start || return
	idle_jobs alice juno 2 2
	until_true 'a VM on each host' one_on_each || return
	stop KILL
	set_policy '/name: hv2/d'
	no_jobs
	start || return
	logged 'host-removed hv2' || fail 'nobody knows of hv2' || return
	# the test driver's domains are gone with the worker: what is known of them is cleared up
	until_true 'it is looked at' connected_twice hv2 || return
	until_true 'and let go' logged 'host-left hv2'
}
connected_twice() { [ "$(grep -c "host $1: connected" "$T/log")" = 2 ]; }

test_a_renamed_host_keeps_its_vms() {
	write_config
	add_second_host
	start || return
	idle_jobs alice juno 2 2
	until_true 'a VM on each host' one_on_each || return
	set_policy 's/name: hv2/name: hv3/'
	until_true 'it has another name' logged 'host-renamed hv2: hv3' || return
	never 'it is drained' called condor_drain
}

test_a_removed_schedd_loses_its_fragment() {
	write_config
	mkdir -p "$T/condor2/config.d" "$T/tools2"
	for tool in "$here"/fake-condor/condor_*; do
		printf '#!/bin/sh\nFAKE_CONDOR=%s exec %s "$@"\n' "$T/condor2" "$tool" >"$T/tools2/${tool##*/}"
		chmod +x "$T/tools2/${tool##*/}"
	done
	: >"$T/condor2/calls"
	local line="  - { name: two, collector: cm, flock: $T/condor2/config.d/60-eyrie.conf, tools: $T/tools2 }"
	set_policy "s|^limits:|$line\nlimits:|"
	start || return
	until_true 'both are there' both_fragments || return
	set_policy '/name: two/d'
	until_true 'the second is taken away' no_second_fragment || return
	until_true 'and let go' logged 'schedd-left two' || return
	[ -n "$(fragment)" ] || fail 'the first is gone, too' || return
	# once more, with a restart before anything could be done
	set_policy "s|^limits:|$line\nlimits:|"
	until_true 'it is there again' both_fragments || return
	stop KILL
	set_policy '/name: two/d'
	start || return
	until_true 'it is taken away after the restart' no_second_fragment
}
both_fragments() { [ "$(grep -c 'flock-apply-done' "$T/log")" -ge 2 ] && [ -s "$T/condor2/config.d/60-eyrie.conf" ] && [ -s "$T/condor/config.d/60-eyrie.conf" ]; }
no_second_fragment() { [ ! -e "$T/condor2/config.d/60-eyrie.conf" ] && ! grep -qs EYRIE_REVISION "$T/condor2/believed"; }

test_a_fragment_moves_when_its_path_changes() {
	write_config
	start || return
	until_true 'it is confirmed' flock_settled || return
	set_policy 's|60-eyrie.conf|61-eyrie.conf|'
	until_true 'it is at the new path' test -s "$T/condor/config.d/61-eyrie.conf" || return
	[ ! -e "$T/condor/config.d/60-eyrie.conf" ] || fail 'the old one is still there' || return
	until_true 'and believed in' believed_again || return
	set_policy 's|flag: [^,]*,||; s|pool: {|pool: { flag: Elastic,|'
	until_true 'another flag is another fragment' grep -q Elastic "$T/condor/config.d/61-eyrie.conf"
}
believed_again() { [ "$(grep -c 'flock-apply-done' "$T/log")" = 2 ]; }

test_a_reload_while_a_create_is_under_way() {
	write_config
	mkdir "$T/slow"
	for tool in "$here"/fake-condor/condor_*; do ln -s "$tool" "$T/slow/"; done
	rm "$T/slow/condor_token_create"
	cat >"$T/slow/condor_token_create" <<END
#!/bin/sh
until [ -e $T/go ]; do sleep 0.1; done
exec $here/fake-condor/condor_token_create "\$@"
END
	chmod +x "$T/slow/condor_token_create"
	set_policy "1s|tools: [^ ]*|tools: $T/slow|"
	start || return
	idle_jobs alice juno 2 1
	until_true 'it is under way' logged ' create vpool-small' || return
	local i
	for i in 3 4 5 6 7; do # the policy that it was decided by is long gone
		set_policy "s/vms: [0-9]*/vms: 1$i/; s/disk: [0-9]*GiB/disk: ${i}GiB/; s/small:/small:/"
		eyrie reload >/dev/null || fail "reload $i" || return
		eyrie vms >/dev/null && eyrie explain group juno >/dev/null || fail 'no answer' || return
	done
	[ "$(grep -c ' reloaded ' "$T/log")" = 5 ] || fail 'not five reloads' || return
	touch "$T/go"
	until_true 'it is created' logged ' create-done vpool-small' || return
	until_true 'it boots' one_booting || return
	same_process || fail 'another process'
}
one_booting() { eyrie vms | grep -q booting; }

test_a_name_of_the_pool_cannot_change_while_it_runs() {
	write_config
	start || return
	set_policy 's/name: vpool/name: xpool/'
	until_true 'it is refused' logged 'reload-failed .*pool.name: cannot change from vpool to xpool' || return
	local said
	said=$(eyrie reload 2>&1)
	[ $? = 78 ] || fail 'eyrie reload does not exit with 78' || return
	has 'restart eyried' "$said" || return
	has 'pool +vpool is degraded' "$(eyrie status)"
}

# The messages that a service manager gets, one a line.
listen_as_manager() {
	python3 -c 'import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1])
while True: print(s.recv(4096).decode().replace("\n", " "), flush=True)' "$T/notify" >"$T/told" &
	manager_pid=$!
	until_true 'the manager listens' test -S "$T/notify"
}
told() { grep -qE "$1" "$T/told"; }
fed_again() { [ "$(grep -c '^WATCHDOG=1' "$T/told")" -ge 2 ]; }

test_a_service_manager_is_told_of_start_reload_and_end() {
	write_config
	local manager_pid
	listen_as_manager || return
	export NOTIFY_SOCKET=$T/notify WATCHDOG_USEC=600000
	start || return
	unset NOTIFY_SOCKET WATCHDOG_USEC
	until_true 'it is ready' told '^READY=1' || return
	until_true 'it says how it is' told '^STATUS=0 VMs, 0 of them busy; [01] actions$' || return
	until_true 'the watchdog is fed' fed_again || return
	! told '^RELOADING' || fail 'it reloads already' || return
	kill -HUP "$eyried_pid"
	until_true 'it reloads' told '^RELOADING=1 MONOTONIC_USEC=[0-9]+' || return
	until_true 'and is ready again' ready_again || return
	set_policy 's/cpus: 6/cpus: 8oo/'
	until_true 'after a bad file, too' ready_three_times || return
	until_true 'which it says' told 'STATUS=.*files are refused' || return
	stop
	until_true 'it stops' told '^STOPPING=1' || return
	kill "$manager_pid"
}
ready_again() { [ "$(grep -c '^READY=1' "$T/told")" = 2 ]; }
ready_three_times() { [ "$(grep -c '^READY=1' "$T/told")" = 3 ]; }

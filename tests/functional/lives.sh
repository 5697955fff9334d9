# shellcheck shell=bash
# Pools that go on for long: many lives of VMs, and many steps. How many: $EYRIE_LIVES, $EYRIE_STEPS. Sourced by run, whose helpers it uses.
# shellcheck disable=SC2154 # set there

# A pool in which jobs run: alive.c under the names of HTCondor's tools.
alive_config() { # JOBS VMS
	local tool hosts='' host
	write_config
	mkdir "$T/tools"
	for tool in condor_q condor_status condor_token_create condor_drain condor_advertise; do
		ln -s "$build/tests/functional/alive" "$T/tools/$tool"
	done
	for tool in condor_config_val condor_reconfig; do ln -s "$here/fake-condor/tool" "$T/tools/$tool"; done
	for host in 1 2 3 4; do
		cp "$source_dir/controller/host/test-node.xml" "$T/hv$host.xml"
		hosts+="  - { name: hv$host, uri: \"test://$T/hv$host.xml\", cpus: 100, memory: 900GiB, storage_pool: eyrie }\n"
	done
	sed -i -e "s|tools: [^ ]*|tools: $T/tools|" -e "s/^limits:.*/limits: { vms: $2, cpus: $(($2 * 2)), slow_start: 0, starts_in_flight: $2, starts_per_minute: 100000 }/" \
		-e "s/max: 4/max: $(($2 * 2))/" -e "s/look_every: 1s/look_every: 100ms/" -e "s|^  - { name: hv1,.*|$hosts|" "$T/eyrie.yaml"
	alive begin "$1"
}
alive() { "$build/tests/functional/alive" "$@"; }
figure() { alive print | sed -E "s/.*\b$1 ([0-9]+).*/\1/"; }
jobs_are_done() { [ "$(figure "done")" = "$1" ]; }

pool_is_empty() { no_vms && [ "$(figure ads)" = 0 ]; }
progress() { # WHAT CMD…: as until_true, as long as jobs are done meanwhile
	local what=$1 before='' now
	shift
	until "$@"; do
		now=$(alive print)
		[ "$now" != "$before" ] || stuck=$((stuck + 1))
		[ "$now" = "$before" ] || stuck=0
		[ "$stuck" -lt "${most:-300}" ] || { fail "nothing happens any more: $what: $now"; return 1; }
		before=$now
		rest
	done
}

# A VM for each job, many at once: each is made once, works, is drained and leaves nothing.
test_a_vm_for_each_of_many_jobs_comes_and_goes() {
	local lives=${EYRIE_LIVES:-10000} at_once=160 stuck=0 begun=$SECONDS
	idle=0s alive_config "$lives" $at_once
	start || return
	progress "$lives jobs are done" jobs_are_done "$lives" || return
	progress 'all VMs are gone' pool_is_empty || return
	[ "$(alive print | sed 's/most [0-9]* //')" = "idle 0 done $lives tokens $lives killed 0 ads 0" ] ||
		fail "$(alive print)" || return
	[ "$(ask_ledger 'SELECT count(*), sum(closed > 0) FROM vm')" = "$lives $lives" ] ||
		fail "VMs, and those that are gone: $(ask_ledger 'SELECT count(*), sum(closed > 0) FROM vm')" || return
	! eyrie world | grep -q '"volumes": *\[ *{' || fail 'volumes are left' || return
	[ "$(ask_ledger "SELECT count(*) FROM event WHERE kind LIKE '%-failed'")" = 0 ] || fail "failures: $(grep -m 3 failed "$T/log")" || return
	echo "# $lives VMs in $((SECONDS - begun)) s: leaked 0, doubled 0, killed 0"
}

if [ "${EYRIE_STEPS:-}" != 0 ]; then

# What eyried holds does not grow with the steps that it takes: VMs come and go meanwhile, and we look.
test_a_pool_does_not_grow_with_its_steps() {
	idle=0s alive_config 1000000 4
	setpriv --pdeathsig KILL -- "$build/tests/functional/steps" "$T/eyrie.yaml" "${EYRIE_STEPS:-100000}" >"$T/steps" 2>"$T/log" &
	eyried_pid=$!
	while kill -0 "$eyried_pid" 2>/dev/null; do
		answers
		for _ in 1 2 3 4 5; do rest; done
	done
	wait "$eyried_pid" || fail "$(cat "$T/steps")" || return
	eyried_pid=''
	sed 's/^/# /' "$T/steps"
}

fi

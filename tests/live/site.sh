# shellcheck shell=bash
# What the tests in the lab that boot no VM have in common: real jobs, machines that stand in for VMs
# (lab/standin), and an eyried that starts none. To be sourced; a test begins with site_up.

# shellcheck source=tests/live/tap.sh
. "$(dirname "${BASH_SOURCE[0]}")/tap.sh"
# shellcheck source=scripts/lib/stage.sh
. "$(dirname "${BASH_SOURCE[0]}")/../../scripts/lib/stage.sh"
# shellcheck source=scripts/lib/pool.sh
. "$EYRIE_SOURCE/scripts/lib/pool.sh"
# shellcheck disable=SC2034 # for who sources this
here=$EYRIE_SOURCE/tests/live/lab

# site_up: a lab in which nothing has happened yet, taken down when the test ends.
site_up() {
	trap '"$lab" down' EXIT
	trap 'exit 130' INT TERM
	stage 'build' pool_compile
	"$lab" down
	"$lab" up
	# The schedd's first message to a negotiator that is asking it for jobs: each waits 20 s for the other.
	on schedd condor_reschedule >/dev/null
}
on() { "$lab" exec "$@"; }
# flocking on|off [POLICY]: the fragments of a policy, as eyried would apply them.
flocking() { "$lab" run "$here/flock" "$@"; }
# dump MACHINE: its whole configuration, but for the number of the process that asks.
dump() { on "$1" condor_config_val -dump | grep -v '^PID = ' | sort; }

# vm N [WORD…]: starts the N-th VM, vm-NNNNNNNN, that is given these words (lab/vm-config), and waits until
# the virtual pool's collector ($cm, vcm by default) has it.
vm() {
	local n=$1 name
	name=vm-$n$n$n$n$n$n$n$n
	shift
	"$lab" run "$here/standin" "$name" "${name#vm-}-aaaa-4aaa-8aaa-000000000001" "10.77.0.3$n" "$@"
	wait_for 60 joined "$name"
}
joined() { on "${cm:-vcm}" condor_status -af Name | grep -q "^slot1@$1"; }

# job USER COUNT SECONDS [LINE…]: submits jobs that write down where they ran, on $schedd (schedd by default).
# Prints the cluster, or what condor_submit says when it refuses.
job() {
	local user=$1 count=$2 seconds=$3
	shift 3
	{
		# shellcheck disable=SC2016 # condor_submit expands
		printf '%s\n' 'executable = /bin/sh' "arguments = \"-c 'sleep $seconds; hostname'\"" \
			'output = out.$(Cluster).$(Process)' 'transfer_executable = false' 'should_transfer_files = yes' \
			'request_memory = 64' 'request_disk = 1000' "$@" "queue $count"
	} | on -u "$user" "${schedd:-schedd}" condor_submit -terse 2>&1 |
		sed -n '/ERROR.*commit/d; s/^\([0-9]*\)\.[0-9]* - .*/\1/p; s/^ERROR: //p'
}
# The same, flagged; for ten minutes at most, if nothing else is said.
flagged() { job "${@:1:3}" 'My.VirtualPool = true' 'allowed_execute_duration = 600' "${@:4}"; }
remove() { on "${schedd:-schedd}" condor_rm "$@" >/dev/null; }

# says WORDS LINE: the answer has these words in it.
says() { grep -qF -- "$1" <<<"$2" || { note "it said: $2" && false; }; }
# attribute CLUSTER EXPRESSION: of its first job.
attribute() { on "${schedd:-schedd}" condor_q -allusers "$1.0" -af "$2"; }
count() { on "${schedd:-schedd}" condor_q -allusers "$1" -constraint "$2" -af ProcId | wc -l; }
count_is() { [ "$(count "$1" "$2")" = "$3" ]; }
running_in() { count_is "$1" "JobStatus == 2 && regexp(\"$2\", RemoteHost)" "$3"; }
idle() { count_is "$1" 'JobStatus == 1' "$2"; }
gone() { [ -z "$(on "${schedd:-schedd}" condor_q -allusers "$@" -af ProcId)" ]; }
# ran_all CLUSTER HOST N: so many jobs of it ran there, by what they wrote down themselves.
ran() { on "${schedd:-schedd}" sh -c "cat /home/*/out.$1.* | grep -cx '$2'"; }
ran_all() { [ "$(ran "$1" "$2")" = "$3" ]; }

# Cycles of a negotiator: what could match has had its chance after two. `cycles MACHINE` counts those that
# ended; `two_cycles [MACHINE…]` waits for two more of each, of both pools by default.
negotiator_log() { on "$1" cat /var/log/condor/NegotiatorLog; }
cycles() { negotiator_log "$1" | grep -c 'Finished Negotiation Cycle'; }
reached() { [ "$(cycles "$1")" -ge "$2" ]; }
two_cycles() {
	local machine ends=()
	[ $# -gt 0 ] || set -- cm vcm
	for machine; do ends+=($(($(cycles "$machine") + 2))); done
	for machine; do
		wait_for 60 reached "$machine" "${ends[0]}"
		ends=("${ends[@]:1}")
	done
}
# asked MACHINE CLUSTER: this negotiator was offered a job of it.
asked() { negotiator_log "$1" | grep -q " Request 0*$2\.0"; }

# policy_write SED…: gives eyried the policy of lab/eyrie.yaml, edited by these expressions of sed.
policy=$pool_dir/eyrie.yaml
policy_write() {
	pool_fresh
	sed -e 's|^paths: .*|paths: { state: state, socket: '"$pool_socket"', fragments: '"$EYRIE_SOURCE"'/flock-config, host_program: '"$pool_build"'/controller/host/eyrie-host }|' \
		-e 's|trust_domain: vpool.lab|&, tools: /run/lab/bin/vcm|' \
		-e "s|\.\./\.\./scenario|$EYRIE_SOURCE/tests/scenario|" "$@" "$here/eyrie.yaml" >"$policy"
	echo 'timing: { look_every: 2s }' >>"$policy"
}
# walltime TIME: an admin saves eyrie.yaml, with something else in it that the schedd is to go by.
walltime() {
	sed "s/max_walltime: [^,]*/max_walltime: $1/" "$policy" >"$policy.new"
	# shellcheck disable=SC2034 # for who measures
	saved=$(date +%s%3N)
	mv "$policy.new" "$policy"
}
# What each should be, what is in the file, and what the running schedd goes by.
file=/run/lab/schedd/config.d/60-eyrie-vpool.conf
wanted() { "$lab" run "$pool_build/controller/cli/eyrie" flock show schedd.lab -c "$policy"; }
fragment() { on schedd cat "$file" 2>/dev/null; }
believes() { on schedd condor_config_val -schedd EYRIE_REVISION_vpool; }
revision() { fragment | sed -n 's/^EYRIE_REVISION_vpool = //p'; }
# allows SECONDS: the schedd goes by the file, and that has this walltime.
allows() { fragment | grep -q "\b$1\b" && [ "$(believes)" = "$(revision)" ]; }
gone_from_schedd() { [ -z "$(fragment)" ] && [[ $(believes 2>&1) == *'Not defined'* ]]; }
flock_says() { eyrie flock -o json 2>/dev/null | grep -qE "$1"; }
# flock_is STATE: that of every fragment.
flock_is() {
	eyrie flock -o json 2>/dev/null | grep -o '"state": *"[a-z]*"' | cut -d'"' -f4 | sort -u | grep -qx "$1"
}

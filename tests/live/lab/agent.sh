#!/bin/bash
# eyrie-agent on the schedd's machine, with real HTCondor: eyried is on the lab host and has no way to
# the schedd's files. A change of eyrie.yaml gets there; what breaks on the way (agent, network,
# file, disk) is outlived. The certificate is made here. Needs a lab that nobody else uses; takes
# about three minutes, of which one is waiting for eyried to miss an agent.
set -eu

# shellcheck source=tests/live/tap.sh
. "$(dirname "$0")/../tap.sh"
# shellcheck source=scripts/lib/stage.sh
. "$(dirname "$0")/../../../scripts/lib/stage.sh"
# shellcheck source=scripts/lib/pool.sh
. "$EYRIE_SOURCE/scripts/lib/pool.sh"
here=$EYRIE_SOURCE/tests/live/lab
policy=$pool_dir/eyrie.yaml
shared=/run/lab/schedd/agent # a folder of the lab host that the schedd's machine sees, too
file=/run/lab/schedd/config.d/60-eyrie-vpool.conf

on() { "$lab" exec "$@"; }

# --- eyried, on the lab host ---

write_policy() {
	mkdir -p "$pool_dir"
	sed -e 's|^paths: .*|paths: { state: state, socket: '"$pool_socket"', fragments: '"$EYRIE_SOURCE"'/flock-config, host_program: '"$pool_build"'/controller/host/eyrie-host }|' \
		-e 's|trust_domain: vpool.lab|trust_domain: vpool.lab, tools: /run/lab/bin/vcm|' \
		-e 's|flock: [^ ]*|flock: agent|' -e "s|\.\./\.\./scenario|$EYRIE_SOURCE/tests/scenario|" \
		"$here/eyrie.yaml" >"$policy"
	cat >>"$policy" <<-'END'
		agents: { listen: "10.77.0.1:9617", address: "host.lab:9617", certificate: agents.pem, key: agents.key }
		timing: { look_every: 2s }
	END
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=eyried \
		-keyout "$pool_dir/agents.key" -out "$pool_dir/agents.pem" 2>/dev/null
}
eyried_start() {
	(
		# shellcheck disable=SC2016 # the inner shell expands
		setsid "$lab" run sh -c 'echo $$ >/run/lab/eyried.pid; exec "$@"' sh \
			"$pool_build/controller/eyried" -c "$policy" </dev/null >>"$pool_dir/eyried.log" 2>&1 &
	)
	wait_for 20 pool_answers
}
# walltime TIME: an admin saves eyrie.yaml.
walltime() {
	sed "s/max_walltime: [^,]*/max_walltime: $1/" "$policy" >"$policy.new"
	saved=$(date +%s%3N)
	mv "$policy.new" "$policy"
}
flock_is() { eyrie flock -o json 2>/dev/null | grep -q "\"state\": *\"$1\""; }
flock_says() { eyrie flock -o json 2>/dev/null | grep -q "$1"; }

# --- the agent, on the schedd's machine ---

# That is Debian 13 and has not all the libraries of the one that we build on.
agent_install() {
	"$lab" run mkdir -p "$shared"
	"$lab" run cp "$pool_build/controller/agent/eyrie-agent" "$shared/"
	# shellcheck disable=SC2046 # a list
	"$lab" run cp -L $(ldd "$pool_build/controller/agent/eyrie-agent" |
		awk '$2 == "=>" && $1 !~ /^(libc|libm|libresolv)\./ { print $3 }') "$shared/"
}
program=(/lib64/ld-linux-x86-64.so.2 --library-path "$shared" "$shared/eyrie-agent")
agent_start() {
	(
		# shellcheck disable=SC2016 # the inner shell expands
		setsid "$lab" exec schedd sh -c 'echo $$ >"$0/pid"; exec "$@" 2>>"$0/log"' "$shared" \
			"${program[@]}" --state=/root/agent </dev/null >/dev/null 2>&1 &
	)
}
agent_log() { on schedd cat "$shared/log"; }
agent_says() { agent_log | grep -qE "$1"; }
agent_kill() { on schedd sh -c "kill -$1 \$(cat $shared/pid)"; }
agent_is_down() { ! on schedd sh -c "kill -0 \$(cat $shared/pid)" 2>/dev/null; }
agent_end() {
	agent_kill "$1"
	wait_for 10 agent_is_down
}

# --- the schedd ---

fragment() { on schedd cat "$file" 2>/dev/null; }
mark_of_file() { fragment | sed -n 's/^EYRIE_REVISION_vpool = //p'; }
believes() { on schedd condor_config_val -schedd EYRIE_REVISION_vpool; }
allows() { fragment | grep -q "\b$1\b" && [ "$(believes)" = "$(mark_of_file)" ]; }
dump() { on schedd condor_config_val -dump | grep -v '^PID = ' | sort; }

finish() {
	pool_stop || true
	"$lab" down
}
trap finish EXIT
trap 'exit 130' INT TERM
stage 'build' pool_compile
"$lab" down
"$lab" up
pool_fresh
write_policy
agent_install
# The fragment is on a file system of its own, which is soon full.
on schedd mount -t tmpfs -o size=96k eyrie /run/lab/schedd/config.d
before=$(dump)
eyried_start

said=$(eyrie agent add schedd.lab -o json)
secret=$(grep -o 'eyrie-join-[0-9a-f]*' <<<"$said")
pin=$(grep -o '"pin": *"[^"]*"' <<<"$said" | cut -d'"' -f4)
join() {
	on schedd "${program[@]}" join --state=/root/agent --server=host.lab:9617 --pin="$pin" \
		--fragment="$file" <<<"$secret" >/dev/null
}
ok 'an agent joins with the token that eyrie prints' join
ok 'that token is good once' not join
agent_start
ok 'the schedd goes by the fragment' wait_for 30 flock_is applied
ok 'which is the one that it says it has read' equal "$(believes)" "$(mark_of_file)"

# From a change in eyrie.yaml to the schedd's belief, by the agent's clock, which is the lab host's.
for time in 3601 3602 3603; do
	walltime ${time}s
	ok "a walltime of $time s gets there" wait_for 30 allows "$time"
	at=$(agent_log | sed -n 's/^\([^ ]*\) applied .*/\1/p' | tail -n 1)
	note "eyrie.yaml saved to the schedd's belief: $(($(date -d "$at" +%s%3N) - saved)) ms"
done
wait_for 10 flock_is applied

on schedd sh -c "echo '# by hand' >>$file"
mended() { ! fragment | grep -q 'by hand'; }
ok 'a fragment that was corrupted by hand is mended' wait_for 20 mended

agent_end KILL
walltime 3604s
agent_start
ok 'an agent that was killed catches up' wait_for 30 allows 3604

pool_kill
ok 'an agent without its controller says so' wait_for 30 agent_says 'controller-lost.*stays in place'
walltime 3605s
eyried_start
ok 'and catches up when it is back' wait_for 60 allows 3605

"$lab" cut schedd
walltime 3606s
ok 'an agent that is cut off is missed' wait_for 90 flock_is unknown
ok 'and that is said' flock_says 'its agent is silent'
ok 'the schedd keeps the fragment that it has' allows 3605
"$lab" mend schedd
ok 'it catches up when the network is back' wait_for 90 allows 3606

old=$(fragment)
on schedd sh -c "cat /dev/zero >${file%/*}/.full" 2>/dev/null || true
walltime 3607s
ok 'a full disk is reported' wait_for 60 flock_says 'No space left on device'
ok 'and the old fragment is whole' equal "$(fragment)" "$old"
ok 'and in force' allows 3606
on schedd rm "${file%/*}/.full"
ok 'it is replaced once there is room' wait_for 60 allows 3607

eyrie flock remove --yes >/dev/null
gone() { [ -z "$(fragment)" ] && [[ $(believes 2>&1) == *'Not defined'* ]]; }
ok 'the fragment is taken away' wait_for 30 gone
ok 'and the schedd is what it was' equal "$(dump)" "$before"
token=$(on schedd grep -o 'eyrie-agent-[0-9a-f]*' /root/agent/joined.json)
leaks() { grep -rlsa -e "$token" -e "$secret" "$pool_dir" "$EYRIE_LAB"/*.log || agent_log | grep -e "$token" -e "$secret"; }
ok 'no token is in a log or the ledger' not leaks
agent_end TERM

tap_end

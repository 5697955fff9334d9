#!/bin/bash
# eyrie-agent on the schedd's machine, with real HTCondor: eyried is on the lab host and has no way to
# the schedd's files. A change of eyrie.yaml gets there; what breaks on the way (agent, network,
# file, disk, eyried's own ledger) is outlived. The certificate is made here. Needs a lab that nobody else
# uses; takes about three minutes, of which one is waiting for eyried to miss an agent.
set -eu

# shellcheck source=tests/live/site.sh
. "$(dirname "$0")/../site.sh"
shared=/run/lab/schedd/agent # a folder of the lab host that the schedd's machine sees, too

# That is Debian 13 and has not all the libraries of the one that we build on.
agent_install() {
	"$lab" run mkdir -p "$shared"
	"$lab" run cp "$pool_build/controller/agent/eyrie-agent" "$shared/"
	# shellcheck disable=SC2046 # a list
	"$lab" run cp -L $(ldd "$pool_build/controller/agent/eyrie-agent" |
		awk '$2 == "=>" && $1 !~ /^(libc|libm|libresolv)\./ { print $3 }') "$shared/"
	# Its tools can be held: a tool says so, and waits for a word.
	"$lab" run mkdir -p "$shared/tools"
	for tool in condor_config_val condor_reconfig; do
		# shellcheck disable=SC2016 # the inner shell expands
		"$lab" run sh -c 'cat >"$1" && chmod 755 "$1"' sh "$shared/tools/$tool" <<-END
			#!/bin/sh
			if [ -p $shared/hold-$tool ]; then
				: >$shared/held
				read -r word <$shared/hold-$tool
			fi
			exec $tool "\$@"
		END
	done
}
hold() { on schedd mkfifo "$shared/hold-$1"; }
is_held() { on schedd test -e "$shared/held"; }
let_go() { on schedd rm "$shared/hold-$1" "$shared/held"; }
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

finish() {
	pool_stop || true
	"$lab" down
}
site_up
trap finish EXIT
rm -rf "$EYRIE_LAB"/*ledger*
policy_write -e 's|flock: [^ ]*|flock: agent|'
echo 'agents: { listen: "10.77.0.1:9617", address: "host.lab:9617", certificate: agents.pem, key: agents.key }' >>"$policy"
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=eyried \
	-keyout "$pool_dir/agents.key" -out "$pool_dir/agents.pem" 2>/dev/null
agent_install
# The fragment is on a file system of its own, which is soon full.
on schedd mount -t tmpfs -o size=96k eyrie "${file%/*}"
before=$(dump schedd)
pool_launch

said=$(eyrie agent add schedd.lab -o json)
secret=$(grep -o 'eyrie-join-[0-9a-f]*' <<<"$said")
pin=$(grep -o '"pin": *"[^"]*"' <<<"$said" | cut -d'"' -f4)
join() {
	on schedd "${program[@]}" join --state=/root/agent --server=host.lab:9617 --pin="$pin" \
		--fragment="$file" --tools="$shared/tools" <<<"$secret" >/dev/null
}
ok 'an agent joins with the token that eyrie prints' join
ok 'that token is good once' not join
agent_start
ok 'the schedd goes by the fragment' wait_for 30 flock_is applied
ok 'which is the one that it says it has read' equal "$(believes)" "$(revision)"

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

# In the middle of it: before the file is replaced, and before the schedd is told.
old=$(fragment)
hold condor_config_val
walltime 3610s
wait_for 60 is_held
agent_end KILL
ok 'killed while HTCondor reads the new text, an agent leaves the old fragment' equal "$(fragment)" "$old"
let_go condor_config_val
agent_start
ok 'and catches up when it is started again' wait_for 60 allows 3610
hold condor_reconfig
walltime 3604s
wait_for 60 is_held
agent_end KILL
ok 'killed before the schedd reads the file, it leaves the new one' equal "$(fragment)" "$(wanted)"
ok 'of which the schedd does not know' not allows 3604
let_go condor_reconfig
agent_start
ok 'and catches up when it is started again' wait_for 60 allows 3604

pool_kill
ok 'an agent without its controller says so' wait_for 60 agent_says 'controller-lost.*stays in place'
walltime 3605s
cp -a "$pool_dir/state" "$EYRIE_LAB/ledger-of-3604"
pool_launch
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

# A later file of the site, which says that it is the fragment.
on schedd cp "$file" "${file%/*}/99-backup.conf"
old=$(fragment)
walltime 3608s
ok 'a later file that overrides the fragment is reported' wait_for 60 flock_says 'does no later file set'
ok 'and the old fragment is whole' equal "$(fragment)" "$old"
on schedd rm "${file%/*}/99-backup.conf"
ok 'it is replaced once that file is gone' wait_for 60 allows 3608

# Controllers that it did not join, or that have forgotten.
with_ledger() { # with_ledger FOLDER: eyried has that one, and the agent asks it at once
	pool_stop
	rm -rf "$pool_dir/state"
	cp -a "$1" "$pool_dir/state"
	pool_launch
	agent_kill HUP
}
pool_stop
cp -a "$pool_dir/state" "$EYRIE_LAB/ledger-of-3608"
mkdir "$EYRIE_LAB/no-ledger"
with_ledger "$EYRIE_LAB/ledger-of-3604"
ok "an old revision, from a backup of eyried's ledger, is refused" wait_for 60 agent_says 'fragment-refused.*the fragment is an old one'
ok 'and that is reported' wait_for 60 flock_says 'the fragment is an old one'
with_ledger "$EYRIE_LAB/no-ledger"
ok 'another controller in the place of its own is none' wait_for 60 agent_says 'controller-lost.*this token is no agent'
ok 'through all that the schedd keeps its fragment' allows 3608
with_ledger "$EYRIE_LAB/ledger-of-3608"
walltime 3609s
ok 'and goes on with its own' wait_for 60 allows 3609

wait_for 60 flock_is applied
eyrie flock remove --yes >/dev/null
ok 'the fragment is taken away' wait_for 60 gone_from_schedd
ok 'and the schedd is what it was' equal "$(dump schedd)" "$before"
token=$(on schedd grep -o 'eyrie-agent-[0-9a-f]*' /root/agent/joined.json)
leaks() { grep -rlsa -e "$token" -e "$secret" "$pool_dir" "$EYRIE_LAB"/*.log || agent_log | grep -e "$token" -e "$secret"; }
ok 'no token is in a log or the ledger' not leaks
agent_end TERM

tap_end

#!/bin/bash
# A VM outlives its first token, because Eyrie sends it new ones; and it does not outlive Eyrie: when
# eyried is killed and never comes back, the VM works on until its last token ends, and then powers
# itself off. Tokens live for half a minute here, and VMs are containers; outage.sh sees QEMU's take
# new tokens, and ../image/boot.sh end themselves.
set -eu

here=$(dirname "$0")
# shellcheck source=tests/live/tap.sh
. "$here/../tap.sh"
# shellcheck source=scripts/lib/stage.sh
. "$here/../../../scripts/lib/stage.sh"
# shellcheck source=scripts/lib/pool.sh
. "$EYRIE_SOURCE/scripts/lib/pool.sh"

queue_is_empty() { [ "$(jobs_in_queue true)" = 0 ]; }
slot_is() { [ "$(left_slots)" = "$1" ]; }
domains_are() { [ "$(left_domains)" = "$1" ]; }
says_why() { [[ $(eyrie explain vm "$name") == *" ago console: "*"$said"* ]]; }
is_forgotten() { [[ $(eyrie explain vm "$name") == 'it is gone'* ]] && says_why; }
rests() { [[ $(eyrie explain host hv1) == *' in a row'* ]]; }
job_again() {
	submit alice juno 1 1 1 flagged >/dev/null && wait_for 60 queue_is_empty
}

trap pool_end EXIT
trap 'exit 130' INT TERM
pool_ready container
rm -f "$pool_dir/watched"
pool_configure template=container vms=1 idle=1h join=30s token=30s orphan=10s
"$lab" run "$here/watch" "$pool_dir/watched" &
pool_start
submit alice juno 1 1 1 flagged >/dev/null
ok 'a VM runs a job' wait_for 240 queue_is_empty
# A quarter of their life each: the fifth is on its way when the first token has ended.
ok 'the VM takes new tokens as it needs them' wait_for 180 renewed 5
ok 'none was refused' not grep -q 'renew-failed' "$pool_dir/eyried.log"
ok 'it runs a job after its first token has ended' job_again
ok 'no token is on any disk, the VM'\''s own neither, nor in a log or the ledger' \
	equal "$(tokens_all)" ''
ok 'none was in the arguments of any process' not grep -q '^token' "$pool_dir/watched"

ok 'eyried is killed and stays away' pool_kill
ok 'the VM runs jobs all the same' job_again
ok 'when its last token has ended it powers itself off' wait_for 240 domains_are 0
ok 'and its slots are gone' wait_for 90 slot_is 0

# The first process of the next one has no seed where it looks, says so, and ends.
sed -i 's|<init>.*</init>|<init>/usr/lib/eyrie/eyrie-seed</init>|' "$pool_dir/container.xml"
pool_start
submit alice juno 1 1 1 flagged >/dev/null
ok 'a VM that does not boot leaves what its console said in the history' wait_for 90 more_events console 0
name=$(awk '$2 == "console" { sub(":", "", $3); print $3; exit }' "$pool_dir/eyried.log")
said='eyrie-seed: no seed: this machine was not started by Eyrie'
ok 'eyrie explain vm says it' says_why
ok 'also when the VM is forgotten' wait_for 90 is_forgotten
ok 'the host rests after such a start' wait_for 30 rests
ok 'eyried ends when asked' pool_stop
tap_end

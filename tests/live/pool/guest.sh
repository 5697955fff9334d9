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

queue_is_empty() { [ "$(jobs_in_queue)" = 0 ]; }
slot_is() { [ "$(left_slots)" = "$1" ]; }
domains_are() { [ "$(left_domains)" = "$1" ]; }
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
tap_end

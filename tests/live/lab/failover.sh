#!/bin/bash
# High availability by HTCondor: two real condor_masters have eyried in MASTER_HA_LIST, with one state folder and
# one lock. The active eyried is killed, and then its master with it: each time one eyried goes on with
# what the ledger knows, and never two. The host is of libvirt's test driver. Needs no lab: namespaces of its own.
set -eu

# shellcheck source=tests/live/tap.sh
. "$(dirname "$0")/../tap.sh"
# shellcheck source=scripts/lib/stage.sh
. "$(dirname "$0")/../../../scripts/lib/stage.sh"
# shellcheck source=scripts/lib/rootfs.sh
. "$EYRIE_SOURCE/scripts/lib/rootfs.sh"
# shellcheck source=scripts/lib/pool.sh
. "$EYRIE_SOURCE/scripts/lib/pool.sh"

if [ "${1:-}" != inside ]; then
	pool_compile
	tree=$(rootfs_condor)
	work=$(mktemp -d)
	trap 'rm -rf "$work"' EXIT
	unshare --net --uts --pid --fork --mount-proc --kill-child "$0" inside "$tree" "$work"
	exit
fi
tree=$2 work=$3
functional=$EYRIE_SOURCE/tests/functional
export FAKE_CONDOR=$work/condor EYRIE_SOCKET=$work/socket
eyrie() { "$pool_build/controller/cli/eyrie" "$@"; }

write_site() {
	mkdir -p "$work/state" "$work/lock" "$FAKE_CONDOR/config.d"
	: >"$FAKE_CONDOR/queue"
	: >"$FAKE_CONDOR/slots"
	cat >"$work/eyrie.yaml" <<-END
		pool: { name: vpool, central_manager: "vcm:9618", trust_domain: vpool, tools: $functional/fake-condor }
		paths: { state: $work/state, socket: $work/socket, fragments: $EYRIE_SOURCE/flock-config, host_program: $pool_build/controller/host/eyrie-host }
		schedds:
		  - { name: schedd, collector: cm, flock: $FAKE_CONDOR/config.d/60-eyrie.conf, tools: $functional/fake-condor }
		limits: { vms: 3, cpus: 6 }
		timing: { look_every: 1s, trust_for: 1h }
		hosts:
		  - { name: hv1, uri: "test://$EYRIE_SOURCE/controller/host/test-node.xml", cpus: 16, memory: 16GiB, storage_pool: eyrie }
		templates:
		  small: { domain: $functional/domain.xml, image: debian13-condor.qcow2, cpus: 2, memory: 2GiB, disk: 4GiB }
		groups:
		  juno: { max: 4, submitters: [alice] }
	END
	printf '#!/bin/sh\nexec "%s" -c "%s" >>"%s" 2>&1\n' "$pool_build/controller/eyried" "$work/eyrie.yaml" "$work/log" >"$work/eyried"
	chmod +x "$work/eyried"
}
# master NAME: a condor_master of the lab's HTCondor, by its own ld.so.
master() {
	local lib=$tree/usr/lib/x86_64-linux-gnu
	mkdir -p "$work/$1"/{log,spool,execute}
	cat >"$work/$1/config" <<-END
		CONDOR_HOST = 127.0.0.1
		COLLECTOR_HOST = 127.0.0.1:9
		CONDOR_IDS = 0.0
		NO_DNS = True
		DEFAULT_DOMAIN_NAME = lab
		NETWORK_INTERFACE = 127.0.0.1
		USE_SHARED_PORT = False
		USE_PROCD = False
		ENABLE_KERNEL_TUNING = False
		LOCAL_DIR = $work/$1
		LOG = \$(LOCAL_DIR)/log
		SPOOL = \$(LOCAL_DIR)/spool
		EXECUTE = \$(LOCAL_DIR)/execute
		LOCK = \$(LOG)
		RUN = \$(LOG)
		DAEMON_LIST = MASTER
		MASTER_HA_LIST = EYRIED
		EYRIED = $work/eyried
		HA_LOCK_URL = file:$work/lock
		HA_LOCK_HOLD_TIME = 20
		HA_POLL_PERIOD = 3
	END
	CONDOR_CONFIG=$work/$1/config setpriv --pdeathsig KILL -- "$tree/usr/lib64/ld-linux-x86-64.so.2" \
		--library-path "$lib:$lib/condor:$tree/usr/lib" "$tree/usr/sbin/condor_master" -f >"$work/$1/out" 2>&1 &
}
eyrieds() { pgrep -f "^$pool_build/controller/eyried " || true; }
starts() { sed -n '/ started vpool/p' "$work/log" 2>/dev/null | wc -l; }
# goes_on STARTS: one eyried answers, after so many starts in all; at no look were there two.
goes_on() {
	[ "$(eyrieds | wc -l)" -le 1 ] || two=yes
	[ "$(starts)" -ge "$1" ] && eyrie vms >/dev/null 2>&1
}
is_cordoned() { eyrie hosts | grep -q '^hv1 .*cordoned'; }

ip link set lo up
hostname failover.lab
two=no
write_site
master one
ok 'a condor_master starts eyried' wait_for 120 goes_on 1
master two
ok 'an order is given' eyrie cordon hv1 --yes
kill -KILL "$(eyrieds)"
ok 'the active eyried is killed: one goes on' wait_for 120 goes_on 2
ok 'which knows the order' is_cordoned
active=$(eyrieds)
kill -KILL "$(ps -o ppid= -p "$active" | tr -d ' ')" "$active"
ok 'its master is killed with it: the other one goes on' wait_for 120 goes_on 3
ok 'which knows the order, too' is_cordoned
ok 'there were never two' equal "$two" no
tap_end

#!/bin/bash
# The packaged units under a real systemd, which is the init of a machine of its own: an overlay over this one,
# into which Eyrie is installed as README says. eyried runs as the user eyrie without any capability, gets its secrets from systemd, makes a
# VM's token by the real condor_token_create, and is started again when it hangs, spins or is killed; its VMs
# stay, and are not doubled. The same for eyrie-agent, which keeps the fragment. The host is of libvirt's
# test driver, HTCondor's other tools are stand-ins. Needs no lab: namespaces of its own. About half a minute.
set -eu

# shellcheck source=tests/live/tap.sh
. "$(dirname "$0")/../tap.sh"
# shellcheck source=scripts/lib/stage.sh
. "$(dirname "$0")/../../../scripts/lib/stage.sh"
# shellcheck source=scripts/lib/rootfs.sh
. "$EYRIE_SOURCE/scripts/lib/rootfs.sh"
# shellcheck source=scripts/lib/pool.sh
. "$EYRIE_SOURCE/scripts/lib/pool.sh"

# --- the machine ---

# It may do all but what is the kernel's, and so other machines', too.
not_its_own=-sys_module,-sys_time,-sys_rawio,-sys_boot,-syslog,-mac_admin,-mac_override
test_folder=/opt/eyrie-test

# machine_boot WORK TREE: what becomes its init. Nothing that is written reaches the disk of this one.
machine_boot() {
	local work=$1 root=$1/root device
	mount --make-rprivate /
	mount -t tmpfs machine "$work"
	mkdir "$work"/{upper,work,root}
	meson install -C "$pool_build" --no-rebuild --quiet --destdir "$work/upper"
	mount -t overlay -o "lowerdir=/,upperdir=$work/upper,workdir=$work/work" overlay "$root"
	machine_is_bare "$root"
	machine_tests "$root" "$2"
	mount -t proc proc "$root/proc"
	mount --bind -o ro "$root/proc/sys" "$root/proc/sys"
	mount -o remount,bind,ro "$root/proc/sys"
	mount -t sysfs -o ro sysfs "$root/sys"
	mount -t cgroup2 cgroup "$root/sys/fs/cgroup"
	mount -t tmpfs -o mode=755 run "$root/run"
	mount -t tmpfs -o mode=1777 tmp "$root/tmp"
	mount -t tmpfs -o mode=755 dev "$root/dev"
	for device in 'null 1 3' 'zero 1 5' 'full 1 7' 'random 1 8' 'urandom 1 9' 'tty 5 0' 'console 1 3'; do
		# shellcheck disable=SC2086 # words
		mknod -m 666 "$root/dev/${device%% *}" c ${device#* }
	done
	mkdir "$root"/dev/{pts,shm}
	mount -t devpts -o newinstance,ptmxmode=666,mode=620 devpts "$root/dev/pts"
	mount -t tmpfs -o mode=1777 shm "$root/dev/shm"
	ln -s pts/ptmx "$root/dev/ptmx"
	ln -s /proc/self/fd "$root/dev/fd"
	hostname systemd.lab
	ip link set lo up
	cd "$root"
	pivot_root . mnt
	umount -l /mnt
	mount --make-rshared / # as an init that is no container finds it
	exec setpriv --bounding-set="$not_its_own" -- env -i container=eyrie PATH=/usr/sbin:/usr/bin:/sbin:/bin \
		/lib/systemd/systemd --system --unit=basic.target --log-target=journal --show-status=no
}

# Of what this machine is set up to run it runs nothing.
machine_is_bare() {
	rm -rf "$1"/etc/systemd/system/* "$1"/var/log/journal
	: >"$1/etc/fstab"
	rm -f "$1"/etc/{crypttab,resolv.conf}
	: >"$1/etc/resolv.conf"
	printf 'passwd: files\ngroup: files\nhosts: files\n' >"$1/etc/nsswitch.conf"
	local unit
	for unit in timers.target sockets.target paths.target; do ln -s /dev/null "$1/etc/systemd/system/$unit"; done
}

# machine_tests ROOT TREE: what the test brings: a host, HTCondor's tools, and the real one that signs.
machine_tests() {
	local at=$1$test_folder tool
	mkdir -p "$at"/{condor,tools,htcondor}
	mount --rbind "$2" "$at/htcondor"
	cp "$EYRIE_SOURCE/tests/functional/fake-condor/tool" "$EYRIE_SOURCE/tests/functional/domain.xml" "$pool_build/tests/live/spin.so" "$at"
	for tool in condor_q condor_status condor_drain condor_advertise condor_config_val condor_reconfig; do
		ln -s ../tool "$at/tools/$tool"
	done
	cat >"$at/tools/condor_token_create" <<-END
		#!/bin/sh
		# Real, by its own ld.so. What it signed for whom is written down, but for the signature.
		lib=$test_folder/htcondor/usr/lib
		token=\$(CONDOR_CONFIG=$test_folder/condor_config "\$lib/../lib64/ld-linux-x86-64.so.2" \\
			--library-path "\$lib/x86_64-linux-gnu:\$lib/x86_64-linux-gnu/condor:\$lib" "\$lib/../bin/condor_token_create" "\$@") || exit
		echo "\${token%.*}" >>$test_folder/condor/signed
		echo "\$token"
	END
	chmod +x "$at/tools/condor_token_create"
	printf '%s\n' 'NO_DNS = True' 'DEFAULT_DOMAIN_NAME = lab' 'CONDOR_HOST = 127.0.0.1' 'NETWORK_INTERFACE = 127.0.0.1' \
		'LOG = /tmp' >"$at/condor_config"
	: >"$at/condor/slots"
	printf 'auth_unix_rw = "none"\nauth_unix_ro = "none"\n' >"$at/libvirtd.conf"
	cat >"$1/etc/systemd/system/host.service" <<-END
		[Service]
		User=eyrie
		RuntimeDirectory=host
		Environment=HOME=/run/host XDG_RUNTIME_DIR=/run/host XDG_CONFIG_HOME=/run/host XDG_CACHE_HOME=/run/host
		ExecStart=libvirtd --config $test_folder/libvirtd.conf --pid-file /run/host/pid
	END
	# It is there as long as somebody holds it open.
	cat >"$1/etc/systemd/system/holder.service" <<-END
		[Service]
		ExecStart=virsh -c $uri event --loop --event lifecycle
	END
	ln -s /etc/condor/eyrie.d "$at/condor/config.d"
	for tool in eyried eyrie-agent; do
		mkdir "$1/etc/systemd/system/$tool.service.d"
		cat >"$1/etc/systemd/system/$tool.service.d/test.conf" <<-END
			[Service]
			RestartSec=200ms
			Environment=FAKE_CONDOR=$test_folder/condor LD_PRELOAD=$test_folder/spin.so
			ReadWritePaths=$test_folder/condor
		END
	done
}
uri='test+unix:///default?socket=/run/host/libvirt/libvirt-sock'

case ${1:-} in
boot) machine_boot "$2" "$3" ;;
'') exec unshare --mount --propagation private -- "$0" outside ;;
esac

# In the machine, as root or as eyrie.
in_machine() {
	nsenter -t "$init" -m -u -i -n -p -C -- env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 "$@"
}
as_eyrie() { in_machine setpriv --reuid eyrie --regid eyrie --init-groups -- "$@"; }
# shellcheck disable=SC2016 # the inner shell expands
write() { in_machine sh -c 'umask 077; cat >"$1"' sh "$1"; }

finish() {
	if [ -n "${init:-}" ]; then kill -KILL "$init" 2>/dev/null || true; fi
	wait || true
	# Empty by now, but for those that the kernel has not let go of yet.
	find "$cgroup" -depth -type d -exec rmdir {} + 2>/dev/null || true
	umount -l "$work/cgroups"
	rm -rf "$work"
}

# --- what is looked at ---

main_pid() { in_machine systemctl show --value -p MainPID "$1"; }
property() { in_machine systemctl show --value -p "$2" "$1"; }
status_of() { in_machine sed -n "s/^$2:[[:space:]]*//p" "/proc/$(main_pid "$1")/status"; }
is_active() { [ "$(property "$1" ActiveState) $(property "$1" SubState)" = 'active running' ]; }
log_says() { in_machine journalctl -q --no-pager -o cat -u "$1" | grep -qE -- "$2"; }
eyrie() { in_machine eyrie "$@"; }
answers() { eyrie status >/dev/null 2>&1 || [ $? = 3 ]; }
domains() { in_machine virsh -q -c "$uri" list --all --uuid --name | grep ' vpool-' | sort; }
domains_are() { [ "$(domains | wc -l)" = "$1" ]; }
has_no_capability() {
	local kind
	for kind in CapInh CapPrm CapEff CapBnd CapAmb; do equal "$(status_of "$1" $kind)" 0000000000000000 || return; done
	equal "$(status_of "$1" NoNewPrivs)" 1
}
is_eyrie() { equal "$(status_of "$1" Uid | cut -f1)" "$(in_machine id -u eyrie)"; }
exposed_little() { in_machine systemd-analyze security --no-pager --threshold=15 "$1" >"$work/said" || ! cat "$work/said"; }
# restarts UNIT: how often systemd started it again by itself.
restarts() { property "$1" NRestarts; }
# is_back UNIT PID: another process is up, and says that it is ready.
is_back() {
	local now
	now=$(main_pid "$1")
	[ "$now" != 0 ] && [ "$now" != "$2" ] && is_active "$1"
}
# outlives UNIT SIGNAL RESULT: whatever it is that the signal does, systemd says RESULT of it, and starts it again.
outlives() {
	local unit=$1 before since
	before=$(main_pid "$unit")
	since=$(in_machine date +%s.%N)
	in_machine kill "-$2" "$before"
	wait_for 120 is_back "$unit" "$before" || return
	in_machine journalctl -q --no-pager -o cat --since "@$since" -u "$unit" | grep -qF "Failed with result '$3'"
}
# impatient UNIT: from its next start on its watchdog waits for ten seconds, and not for a minute.
impatient() {
	in_machine mkdir -p "/run/systemd/system/$1.service.d"
	printf '[Service]\nWatchdogSec=10s\n' | write "/run/systemd/system/$1.service.d/watchdog.conf"
	in_machine systemctl daemon-reload
}
patient() {
	in_machine rm -r "/run/systemd/system/$1.service.d"
	in_machine systemctl daemon-reload
}
jobs() {
	write "$test_folder/condor/queue.new" <<-END
		[
		{ "JobStatus": 1, "Owner": "alice", "AcctGroup": "juno", "VirtualPool": true, "RequestCpus": 2, "RequestMemory": 100, "RequestDisk": 1000, "JobCount": $1, "Id": 1, "JobIds": "1.0 ... 1.9" }
		]
	END
	in_machine sh -c "cd $test_folder/condor; chmod 644 queue.new; mv queue.new queue"
}
# The files that root keeps are not for the user eyrie.
secrets_are_roots() {
	# shellcheck disable=SC2016 # the inner shell expands
	local all='cat /etc/eyrie/*.d/* /etc/eyrie/agent/* 2>/dev/null'
	[ -n "$(in_machine sh -c "$all" | tr -d '\0')" ] && [ -z "$(as_eyrie sh -c "$all" | tr -d '\0')" ]
}

# --- begin ---

pool_compile
tree=$(rootfs_condor)
[ "$(meson introspect --buildoptions "$pool_build" | python3 -c 'import json, sys; print(*(o["value"] for o in json.load(sys.stdin) if o["name"] == "prefix"))')" = /usr ] ||
	{ meson configure -Dprefix=/usr "$pool_build" && pool_compile; }
work=$(mktemp -d)
mkdir "$work"/{cgroups,machine}
mount -t cgroup2 cgroup "$work/cgroups"
cgroup=$work/cgroups/eyrie-systemd.$$
mkdir "$cgroup"
trap finish EXIT
trap 'exit 130' INT TERM
(
	echo 0 >"$cgroup/cgroup.procs"
	exec setpriv --pdeathsig KILL -- unshare --mount --net --uts --ipc --pid --cgroup --fork --kill-child -- \
		"$0" boot "$work/machine" "$tree"
) </dev/null >"$work/log" 2>&1 &
unshared=$!
machine_is_up() {
	init=$(pgrep -P "$unshared") && [ "$(cat "/proc/$init/comm")" = systemd ] && in_machine systemctl -q is-active basic.target
}
wait_for 60 machine_is_up 2>/dev/null || {
	cat "$work/log" >&2
	die 'the machine does not come up'
}

# --- installed, and not set up yet ---

in_machine sh -s <"$EYRIE_SOURCE/packaging/post-install"
ok 'the user eyrie is made, and folders for secrets that are root'"'"'s alone' \
	equal "$(in_machine stat -c '%U %a' /etc/eyrie/passwords.d /etc/eyrie/tokens.d /etc/eyrie/secrets.d /etc/eyrie/agent /etc/condor/eyrie.d | paste -sd' ')" \
	'root 700 root 700 root 700 root 700 eyrie 755'
ok 'systemd finds nothing wrong with the units' in_machine systemd-analyze verify --man=no eyried.service eyrie-agent.service
for unit in eyried eyrie-agent; do
	ok "what $unit is exposed to is 1.5 at the most" exposed_little "$unit.service"
	note "$(tail -n 1 "$work/said")"
done
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=eyried \
	-keyout "$work/agents.key" -out "$work/agents.pem" 2>/dev/null
in_machine sh -c 'cat >/etc/eyrie/agents.pem' <"$work/agents.pem"
write /etc/eyrie/secrets.d/agents.key <"$work/agents.key"
in_machine sh -c "cat >/etc/eyrie/eyrie.yaml" <<-END
	pool: { name: vpool, central_manager: "vcm:9618", trust_domain: vpool, tools: $test_folder/tools }
	schedds:
	  - { name: schedd, collector: cm, flock: agent, tools: $test_folder/tools }
	agents: { listen: "127.0.0.1:9617", certificate: agents.pem, key: "credential:secret_agents.key" }
	limits: { vms: 3, cpus: 6, slow_start: 0 }
	timing: { look_every: 1s, idle_before_drain: 1h, join_within: 1h, trust_for: 1h, rest_after_failure: 1s, rest_at_most: 1s }
	hosts:
	  - { name: hv1, uri: "$uri", cpus: 16, memory: 16GiB, storage_pool: default-pool }
	templates:
	  small: { domain: $test_folder/domain.xml, image: debian13-condor.qcow2, cpus: 2, memory: 2GiB, disk: 4GiB }
	groups:
	  juno: { max: 6, submitters: [alice] }
END
in_machine sh -c "chown -R eyrie $test_folder/condor"
jobs 1
in_machine systemctl start host
wait_for 60 in_machine test -S /run/host/libvirt/libvirt-sock
in_machine systemctl start holder
# The host is a new one until it is held.
has_image() {
	in_machine virsh -q -c "$uri" vol-info debian13-condor.qcow2 default-pool ||
		in_machine virsh -q -c "$uri" vol-create-as default-pool debian13-condor.qcow2 2G --format qcow2
	sleep 0.5
	in_machine virsh -q -c "$uri" vol-info debian13-condor.qcow2 default-pool
}
wait_for 60 has_image >/dev/null 2>&1

not in_machine systemctl start eyried 2>/dev/null
ok 'without the signing key eyried is not started' equal "$(property eyried ActiveState) $(property eyried ExecMainStatus)" 'failed 243'
ok 'nor again and again' equal "$(restarts eyried)" 0

# --- eyried ---

head -c 48 /dev/urandom | base64 -w 0 | write /etc/eyrie/passwords.d/EYRIE
begun=$(now_ms)
ok 'eyried starts' in_machine systemctl start eyried
note "from start to ready: $(seconds_since "$begun") s"
ok 'it answers' wait_for 60 answers
ok 'as the user eyrie' is_eyrie eyried
ok 'without any capability, and none to be had' has_no_capability eyried
ok 'what it is given is for its eyes only' equal \
	"$(in_machine sh -c 'cd /run/credentials/eyried.service; stat -c "%n %U %a" . *' | paste -sd' ')" \
	'. eyrie 500 EYRIE eyrie 400 secret_agents.key eyrie 400'
ok 'the secrets themselves are root'"'"'s' secrets_are_roots
ok 'it has read one: agents are listened for' wait_for 30 log_says eyried 'agents-listen 127.0.0.1:9617: sha256//'
said=$(in_machine eyrie doctor || true)
ok 'eyrie doctor finds the secrets where the unit has them from' grep -q 'passwords.d/EYRIE: root alone reads it, and hands it over as EYRIE' <<<"$said"
ok 'and those that the policy names' grep -q 'credential:secret_agents.key: agents.key is handed over' <<<"$said"
ok 'a VM is made' wait_for 60 domains_are 1
signed() { in_machine cat "$test_folder/condor/signed"; }
vm=$(domains)
ok 'its token is signed by HTCondor, with that key' equal \
	"$(signed | head -n 1 | cut -d. -f1 | base64 -d 2>/dev/null)" '{"alg":"HS256","kid":"EYRIE"}'
goes_on() { [ -n "$vm" ] && equal "$(domains)" "$vm" && wait_for 60 answers; }

impatient eyried
ok 'it is killed: systemd starts it again' outlives eyried KILL signal
ok 'its VM is there, and no other' goes_on
ok 'it hangs: systemd ends it and starts it again' outlives eyried STOP watchdog
ok 'its VM is there, and no other' goes_on
ok 'it turns in a circle, and no step ends: systemd ends it and starts it again' outlives eyried USR2 watchdog
ok 'its VM is there, and no other' goes_on
patient eyried
killed() { for _ in 1 2 3 4 5 6; do outlives eyried KILL signal || return; done; }
ok 'six times in a row: it does not give up' killed
jobs 2
ok 'and the pool goes on: one job more, one VM more' wait_for 60 domains_are 2
ok 'the first one is still there' grep -qF "$vm" <<<"$(domains)"

# systemd 257 leaves the files root's and lets eyrie read them by an access list; a group looks the same to HTCondor.
in_machine sh -c "mkdir -m 750 $test_folder/given; cd $test_folder/given
	cp /etc/eyrie/passwords.d/EYRIE .; cp /etc/eyrie/secrets.d/agents.key secret_agents.key; chgrp -R eyrie .; chmod 440 *
	mkdir -p /run/systemd/system/eyried.service.d
	printf '[Service]\nLoadCredential=\nEnvironment=CREDENTIALS_DIRECTORY=%s\n' \$PWD >/run/systemd/system/eyried.service.d/given.conf
	systemctl daemon-reload; systemctl restart eyried"
ok 'secrets that are another user'"'"'s eyried makes its own, in memory' equal \
	"$(in_machine sh -c 'cd /run/eyrie/credentials; stat -c "%n %U %a" . *; findmnt -n -o FSTYPE -T .' | paste -sd' ')" \
	'. eyrie 700 EYRIE eyrie 600 secret_agents.key eyrie 600 tmpfs'
jobs 3
ok 'and with that key the next token is signed' wait_for 60 domains_are 3
vm=$(domains)

# --- eyrie-agent ---

ok 'eyrie-agent is not started before it has joined' equal "$(in_machine systemctl start eyrie-agent; property eyrie-agent ActiveState)" inactive
said=$(eyrie agent add schedd -o json)
grep -o 'eyrie-join-[0-9a-f]*' <<<"$said" >"$work/secret"
join() {
	in_machine eyrie-agent join --server=127.0.0.1:9617 --pin="$(grep -o '"pin": *"[^"]*"' <<<"$said" | cut -d'"' -f4)" \
		--fragment=/etc/condor/eyrie.d/60-eyrie-vpool.conf --tools="$test_folder/tools" <"$work/secret" >/dev/null
}
ok 'root lets it join' join
ok 'it starts' in_machine systemctl start eyrie-agent
ok 'as the user eyrie' is_eyrie eyrie-agent
ok 'without any capability' has_no_capability eyrie-agent
ok 'its token is root'"'"'s, too' secrets_are_roots
applied() { eyrie flock -o json 2>/dev/null | grep -q '"state": *"applied"'; }
ok 'it puts the fragment into its place' wait_for 60 applied
impatient eyrie-agent
ok 'it is killed: systemd starts it again' outlives eyrie-agent KILL signal
patient eyrie-agent
in_machine rm /etc/condor/eyrie.d/60-eyrie-vpool.conf
ok 'it hangs: systemd ends it and starts it again' outlives eyrie-agent STOP watchdog
ok 'and it still keeps the fragment' wait_for 60 in_machine test -s /etc/condor/eyrie.d/60-eyrie-vpool.conf

# --- the end ---

for unit in eyrie-agent eyried; do
	in_machine systemctl stop $unit
	ok "$unit ends when it is asked to" equal "$(property $unit ActiveState) $(property $unit Result)" 'inactive success'
done
ok 'nothing of them runs' not in_machine pgrep '^eyrie'
ok 'nor are secrets left' not in_machine sh -c 'ls -d /run/credentials/eyrie* /run/eyrie'
ok 'the VMs are' equal "$(domains)" "$vm"
tap_end

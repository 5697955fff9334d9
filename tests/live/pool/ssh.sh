#!/bin/bash
# A host that is reached by ssh, over a cable of its own: its first VM; ssh is killed; the cable is cut, so
# that no word comes of it, and mended. The other host goes on meanwhile. Beside it a host whose key nobody knows,
# and one that does not know ours: ssh would ask a question, and there is nobody to answer.
set -eu

here=$(dirname "$0")
# shellcheck source=tests/live/tap.sh
. "$here/../tap.sh"
# shellcheck source=scripts/lib/stage.sh
. "$here/../../../scripts/lib/stage.sh"
# shellcheck source=scripts/lib/pool.sh
. "$EYRIE_SOURCE/scripts/lib/pool.sh"

address=10.77.0.31 alias=10.77.0.32
# The wrapper: no file of root's own home is read or made.
far='/system?command=/run/lab/ssh/ssh&no_tty=1&keyfile=/run/lab/ssh'

# The second host: another libvirtd, with folders of its own where the first one has its, and sshd, which alone is
# behind the cable.
far_start() {
	"$lab" run sh -eu <<-END
		mkdir -p /run/lab/ssh && cd /run/lab/ssh
		ssh-keygen -q -t ed25519 -N '' -f key && ssh-keygen -q -t ed25519 -N '' -f stranger
		dropbearkey -t ed25519 -f host >host.pub 2>/dev/null
		echo "$address \$(grep ^ssh- host.pub)" >known_hosts
		printf '#!/bin/sh\nexec ssh -F /run/lab/ssh/config "\$@"\n' >ssh && chmod 755 ssh
		printf '%s\n' 'IdentitiesOnly yes' 'UserKnownHostsFile /run/lab/ssh/known_hosts' >config
		"$EYRIE_SOURCE/scripts/lib/lab/machines" cable hv2 $address
		ip -n hv2 addr add $alias/24 dev eth0
	END
	# shellcheck disable=SC2016 # the inner shell expands
	(setsid "$lab" run unshare --mount sh -eu -c '
		mkdir -p /run/lab/libvirt2 /run/lab/images/second/container-condor
		cp -r /etc/libvirt /run/lab/libvirt2/etc && rm -rf /run/lab/libvirt2/etc/storage
		sed -i "/^unix_sock_dir/d" /run/lab/libvirt2/etc/libvirtd.conf
		mount --bind /run/lab/libvirt2/etc /etc/libvirt
		mount -t tmpfs run /run/libvirt
		mount -t tmpfs lib /var/lib/libvirt
		mount --bind /run/lab/images/eyrie/container-condor /run/lab/images/second/container-condor
		mount -t tmpfs -o mode=700 root "$(getent passwd root | cut -d: -f6)"
		install -D -m 600 /run/lab/ssh/key.pub "$(getent passwd root | cut -d: -f6)/.ssh/authorized_keys"
		nsenter --net=/run/netns/hv2 dropbear -r /run/lab/ssh/host -p 22 -F -E &
		exec libvirtd -f /etc/libvirt/libvirtd.conf -p /run/lab/libvirt2/libvirtd.pid' \
		</dev/null >>"$EYRIE_LAB/libvirtd2.log" 2>&1 &)
	wait_for 60 far_virsh list >/dev/null 2>&1 || return 1
	far_virsh pool-define-as eyrie dir --target /run/lab/images/second && far_virsh pool-start eyrie
}
far_virsh() { "$lab" run virsh -q -c "lxc+ssh://root@$address$far/key" "$@"; }

hosts() {
	local far=${far//&/\\&} # as sed wants it
	sed -i '/{ name: hv1,/d; s|^templates:|  - { name: hv1, uri: "'"$containers_uri"'", cpus: 16, memory: 8GiB }\
  - { name: hv2, uri: "lxc+ssh://root@'"$address$far"'/key", cpus: 16, memory: 8GiB }\
  - { name: unknown, uri: "lxc+ssh://root@'"$alias$far"'/key", cpus: 16, memory: 8GiB }\
  - { name: shut, uri: "lxc+ssh://root@'"$address$far"'/stranger", cpus: 16, memory: 8GiB }\
templates:|' "$pool_dir/eyrie.yaml"
}

running() { [ "$(jobs_in_queue 'JobStatus == 2')" = "$1" ]; }
queue_is_empty() { [ "$(jobs_in_queue)" = 0 ]; }
vms_on() { [ "$(eyrie vms --host "$1" | grep -c "^vpool-[^ ]* *${3:-}")" = "$2" ]; } # HOST COUNT [STATE]
# complains PATTERN: what eyrie status says is wrong.
complains() { eyrie status | grep '^!' | grep -qE "$1"; }
is_well() { ! complains "host $1"; }
asked() { eyrie hosts -o json | tr '{' '\n' | sed -n 's/.*"name": *"'"$1"'".*"asked": *\([0-9]*\).*/\1/p'; }
looked_since() { [ "$(asked "$1")" -gt "$2" ]; }
done_well() { [ "$(job_table | awk -F'\t' -v c="$1" '$1 == c && $11 == 0' | wc -l)" = "$2" ]; } # CLUSTER JOBS
ssh_pids() { host_pids ssh; }
few_sshs() { [ "$(ssh_pids | wc -l)" -le 3 ]; }
said() { grep -qE "$1" "$pool_dir/eyried.log"; }

trap pool_end EXIT
trap 'exit 130' INT TERM
pool_ready container
far_start
pool_configure template=container vms=4 cpus=8 juno_max=4 idle=20s trust=8s poweroff=5s
hosts
pool_start

note 'a host by ssh'
ok 'it is looked at' wait_for 60 looked_since hv2 0
# work_on HOST: a job that runs there: the other host takes no new VM meanwhile.
work_on() {
	local other=hv1
	[ "$1" = hv2 ] || other=hv2
	eyrie cordon "$other" --yes >/dev/null
	clusters+=("$(submit alice juno 2 1 36000 flagged)")
	wait_for 300 vms_on "$1" 1 busy && eyrie uncordon "$other" --yes >/dev/null
}
clusters=()
ok 'a job runs there' work_on hv2
ok 'and one on the other host' work_on hv1
ok 'a host whose key is not known is not talked to, and nobody is asked' wait_for 120 said 'host unknown: .*[Hh]ost key verification failed'
ok 'nor is a password asked for' wait_for 120 said 'host shut: .*Permission denied'

note 'ssh is killed'
before=$(grep -c 'host hv2: connected' "$pool_dir/eyried.log")
connected_again() { [ "$(grep -c 'host hv2: connected' "$pool_dir/eyried.log")" -gt "$before" ]; }
# shellcheck disable=SC2046 # a list
"$lab" run sh -c 'kill -KILL "$@" 2>/dev/null || :' sh $(ssh_pids)
ok 'it is noticed' wait_for 60 said 'host hv2: disconnected'
ok 'and another one takes its place' wait_for 60 connected_again
ok 'with the VM as it was' wait_for 60 vms_on hv2 1 busy

note 'the cable is cut'
begun=$(now_ms)
"$lab" cut hv2
ok 'that it does not answer is told' wait_for 60 complains 'host hv2: .*(keepalive|no answer)'
note "after $(seconds_since "$begun") s: $(eyrie status | grep '^! .*hv2' || true)"
other=$(submit bob lhaaso 2 1 1 flagged)
before=$(asked hv1)
ok 'the other host is looked at, again and again' wait_for 60 looked_since hv1 $((before + 6000000))
ok 'and runs a job that comes now' wait_for 120 done_well "$other" 1
ok 'the VM behind the cable becomes lost' wait_for 60 vms_on hv2 1 lost
ok 'its job runs on, and no VM is started for it' running 2
"$lab" mend hv2
ok 'when the cable is mended all is well' wait_for 120 is_well hv2
ok 'and the VM is what it was' wait_for 60 vms_on hv2 1 busy
ok 'no ssh is left of those that had no answer' wait_for 60 few_sshs

note 'all leave'
"$lab" exec schedd condor_rm "${clusters[@]}" >/dev/null
ok 'the VMs leave, also by ssh' wait_for 120 vms_are 0
ok 'no job was started twice' equal "$("$lab" exec schedd condor_history -af NumJobStarts | sort -u)" 1
left_there=$(far_virsh list --all --name || echo 'no answer')
ok 'left: no domain there' equal "$left_there" ''
ok 'eyried ends when asked' pool_stop
tap_end

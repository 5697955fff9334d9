#!/bin/bash
# Two hosts, each with a libvirtd of its own, the second one reached by TLS, and what happens to that one:
# its libvirtd hangs; it is off for good, and an admin says so; it is back. The other one goes on
# meanwhile. An image is brought to both. At last a QEMU hangs, which its host must survive.
set -eu

here=$(dirname "$0")
# shellcheck source=tests/live/tap.sh
. "$here/../tap.sh"
# shellcheck source=scripts/lib/stage.sh
. "$here/../../../scripts/lib/stage.sh"
# shellcheck source=scripts/lib/pool.sh
. "$EYRIE_SOURCE/scripts/lib/pool.sh"

second_socket=/run/lab/libvirt2/libvirt-sock
second_uri='lxc+tls://host.lab:16514/system?pkipath=/run/lab/pki'
stranger=11111111-1111-4111-8111-111111111111

# The certificates of the second host and of who may use it, as libvirt wants them.
second_pki() {
	"$lab" run sh -eu <<-'END'
		mkdir -p /run/lab/pki && cd /run/lab/pki
		[ ! -e servercert.pem ] || exit 0
		openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=lab-ca -keyout cakey.pem -out cacert.pem \
			-addext keyUsage=critical,keyCertSign 2>/dev/null
		printf '%s\n' subjectAltName=DNS:host.lab keyUsage=digitalSignature,keyEncipherment \
			extendedKeyUsage=serverAuth,clientAuth >extensions
		openssl req -newkey rsa:2048 -nodes -subj /CN=host.lab -keyout serverkey.pem -out request.pem 2>/dev/null
		openssl x509 -req -in request.pem -CA cacert.pem -CAkey cakey.pem -CAcreateserial -days 2 \
			-extfile extensions -out servercert.pem 2>/dev/null
		cp servercert.pem clientcert.pem && cp serverkey.pem clientkey.pem
	END
}
# The second host: another libvirtd, which listens for TLS, with folders of its own where the first one has
# its.
second_start() {
	# shellcheck disable=SC2016 # the inner shell expands
	(setsid "$lab" run unshare --mount sh -eu -c '
		mkdir -p /run/lab/libvirt2 /run/lab/images/second/container-condor
		cp -r /etc/libvirt /run/lab/libvirt2/etc.new && rm -rf /run/lab/libvirt2/etc.new/storage
		rm -rf /run/lab/libvirt2/etc && mv /run/lab/libvirt2/etc.new /run/lab/libvirt2/etc
		sed -i "s|/run/lab/libvirt\"|/run/lab/libvirt2\"|" /run/lab/libvirt2/etc/libvirtd.conf
		printf "%s\n" "listen_tls = 1" "listen_addr = \"10.77.0.1\"" "auth_tls = \"none\"" \
			"ca_file = \"/run/lab/pki/cacert.pem\"" "cert_file = \"/run/lab/pki/servercert.pem\"" \
			"key_file = \"/run/lab/pki/serverkey.pem\"" >>/run/lab/libvirt2/etc/libvirtd.conf
		mount --bind /run/lab/libvirt2/etc /etc/libvirt
		mount -t tmpfs run /run/libvirt
		mount -t tmpfs lib /var/lib/libvirt
		mount --bind /run/lab/images/eyrie/container-condor /run/lab/images/second/container-condor
		echo $$ >/run/lab/libvirt2/pid
		exec libvirtd --listen -f /etc/libvirt/libvirtd.conf -p /run/lab/libvirt2/libvirtd.pid' \
		</dev/null >>"$EYRIE_LAB/libvirtd2.log" 2>&1 &)
	wait_for 30 second list >/dev/null 2>&1 || return 1
	second pool-define-as eyrie dir --target /run/lab/images/second && second pool-start eyrie
}
second() { "$lab" run virsh -q -c "lxc+unix:///system?socket=$second_socket" "$@"; }
# shellcheck disable=SC2016 # the inner shell expands
second_signal() { "$lab" run sh -c 'kill -"$1" "$(cat /run/lab/libvirt2/pid)"' sh "$1"; }
# Its power is cut: libvirtd, and the containers that run there, each with its first process, which takes
# all others with it.
second_off() {
	local name names
	names=$(eyrie vms --host hv2 -o name)
	second_signal KILL
	for name in $names; do
		# shellcheck disable=SC2016 # the inner shell expands
		"$lab" run sh -c 'for p in /proc/[0-9]*; do
			p=${p#/proc/}
			tr "\0" " " <"/proc/$p/cmdline" 2>/dev/null | grep -q "libvirt_lxc --name $1 " || continue
			kill -KILL $(cat "/proc/$p/task/$p/children") "$p"
		done; :' sh "$name"
	done
}

hosts() { # three of them; the containers run on two, and the third is the first one's QEMU
	sed -i '/{ name: hv1,/d; s|^templates:|  - { name: hv1, uri: "'"$containers_uri"'", cpus: 16, memory: 8GiB, tags: [containers] }\
  - { name: hv2, uri: "'"$second_uri"'", cpus: 16, memory: 8GiB, tags: [containers] }\
  - { name: qemu, uri: "'"$libvirt_uri"'", cpus: 16, memory: 8GiB }\
templates:|; s|disk: 4GiB }|disk: 4GiB, needs: [containers] }|' "$pool_dir/eyrie.yaml"
}

# push: to the first two; the third has the storage pool of the first.
push() {
	local host
	for host in hv1 hv2; do
		"$lab" run "$pool_build/controller/cli/eyrie" image push "$image" -c "$pool_dir/eyrie.yaml" --host $host 2>&1 || true
	done
}
running() { [ "$(jobs_in_queue 'JobStatus == 2')" = "$1" ]; }
queue_is_empty() { [ "$(jobs_in_queue)" = 0 ]; }
vms_on() { [ "$(eyrie vms --host "$1" | grep -c "^vpool-[^ ]* *${3:-}")" = "$2" ]; } # HOST COUNT [STATE]
host_is() { eyrie hosts | grep -q "^$1 *$2"; }
# complains PATTERN: what eyrie status says is wrong.
complains() { eyrie status | grep '^!' | grep -qE "$1"; }
is_well() { ! complains "host $1"; }
asked() { eyrie hosts -o json | tr '{' '\n' | sed -n 's/.*"name": *"'"$1"'".*"asked": *\([0-9]*\).*/\1/p'; }
looked_since() { [ "$(asked "$1")" -gt "$2" ]; }
done_well() { [ "$(job_table | awk -F'\t' -v c="$1" '$1 == c && $11 == 0' | wc -l)" = "$2" ]; } # CLUSTER JOBS
# work JOBS SECONDS: jobs that need a VM each.
work() { submit alice juno 2 "$1" "$2" flagged; }

trap pool_end EXIT
trap 'exit 130' INT TERM
rm -f "$EYRIE_LAB"/images/new.qcow2 "$EYRIE_LAB"/images/{eyrie,second}/new.qcow2 # of an earlier run
pool_ready container
second_pki
second_start
pool_configure template=container vms=4 cpus=8 juno_max=4 idle=20s trust=8s poweroff=5s
hosts
pool_start

note 'a libvirtd hangs'
ok 'the second host is looked at' wait_for 60 looked_since hv2 0
first=$(work 2 60)
ok 'two jobs run, on a host each' wait_for 60 running 2
ok 'one on the second host' wait_for 30 vms_on hv2 1 busy
begun=$(now_ms)
second_signal STOP
ok 'that it does not answer is told' wait_for 60 complains 'host hv2: .*(keepalive|no answer)'
note "after $(seconds_since "$begun") s: $(eyrie status | grep '^! .*hv2' || true)"
other=$(submit bob lhaaso 2 1 1 flagged)
ok 'a job that comes now runs on the other host' wait_for 60 done_well "$other" 1
ok 'the VM there becomes lost' wait_for 60 vms_on hv2 1 lost
ok 'its job runs on, and no VM is started for it' running 2
second_signal CONT
ok 'when libvirtd goes on all is well' wait_for 60 is_well hv2
ok 'and the VM is what it was' wait_for 30 vms_on hv2 1 busy
ok 'the jobs end' wait_for 180 queue_is_empty
ok 'each was started once' equal "$(job_table | awk -F'\t' -v c="$first" '$1 == c { print $11, $12 }' | sort -u)" '0 1'

note 'a host is off'
ok 'the VMs leave' wait_for 90 vms_are 0
second=$(work 2 600)
ok 'two jobs run' wait_for 60 running 2
second_off
ok 'that it does not answer is told' wait_for 60 complains 'host hv2: '
said=$(eyrie fence hv1 --yes)
ok 'a host that answers is not fenced' grep -q 'hv1 answers' <<<"$said"
eyrie fence hv2 --yes --reason 'no power' >/dev/null
ok 'its VM is gone, with its slot ad' wait_for 60 vms_on hv2 0
third=$(work 1 1)
ok 'another VM takes its place at once' wait_for 60 vms_on hv1 2
"$lab" exec schedd condor_rm "$second" >/dev/null
second_start
ok 'the host is back' wait_for 60 is_well hv2
ok 'and takes no VM while it is fenced' host_is hv2 fenced
ok 'the job ends, and the VMs leave' wait_for 120 vms_are 0
ok 'well' done_well "$third" 1
eyrie unfence hv2 --yes >/dev/null
fourth=$(work 2 1)
ok 'once it is not any more, it does' wait_for 90 vms_on hv2 1
ok 'the jobs end' wait_for 120 done_well "$fourth" 2

note 'an image is brought to the hosts'
image=$EYRIE_LAB/images/new.qcow2
qemu-img create -q -f qcow2 "$image" 64M
head -c 5000000 /dev/urandom >>"$image"
digest=$(sha256sum "$image" | cut -d' ' -f1)
said=$(push)
ok 'both have it' equal "$(grep -c 'has it' <<<"$said")" 2
ok 'with this digest' grep -q "sha256 $digest" <<<"$said"
"$lab" run sh -c "cmp $image /run/lab/images/eyrie/new.qcow2 && cmp $image /run/lab/images/second/new.qcow2" >/dev/null &&
	same=yes || same=no
ok 'and the very bytes' equal "$same" yes
ok 'libvirt takes it for qcow2' grep -q "format type='qcow2'" <<<"$(second vol-dumpxml new.qcow2 --pool eyrie)"
sealed() { eyrie explain host "$1" | grep -q "new.qcow2 $2"; }
ok 'eyried knows what it is' wait_for 30 sealed hv2 'is as it was pushed'
ok 'the second time nothing is sent' equal "$(push | grep -c 'has it already')" 2
echo more >>"$image"
ok 'another image of that name is refused' equal "$(push | grep -c 'another image of the name')" 2
"$lab" run cp /dev/null /run/lab/images/second/new.qcow2
"$lab" run sh -c 'printf "An upload of eyrie image push that is not whole.\n%9999s" "" >/run/lab/images/second/new.qcow2'
second pool-refresh eyrie >/dev/null
ok 'that somebody wrote to it is seen' wait_for 30 sealed hv2 'was written to since'
ok 'one that broke off is begun anew' grep -q '^hv2: has it, read back' <<<"$(push)"
ok 'and then all is well with it' wait_for 30 sealed hv2 'is as it was pushed'

note 'a QEMU hangs'
"$lab" run virsh -q -c "$libvirt_uri" create /dev/stdin >/dev/null <<-END
	<domain type='qemu'>
	  <name>stranger</name><uuid>$stranger</uuid><memory unit='MiB'>32</memory>
	  <os><type arch='x86_64'>hvm</type></os>
	</domain>
END
ok 'it runs' wait_for 60 host_pids qemu-system-x86
# shellcheck disable=SC2046 # a list
"$lab" run kill -STOP $(host_pids qemu-system-x86)
before=$(asked qemu)
ok 'its host is looked at all the same, again and again' wait_for 60 looked_since qemu $((before + 6000000))
ok 'and nothing is wrong with it' is_well qemu
# shellcheck disable=SC2046 # a list
"$lab" run kill -KILL $(host_pids qemu-system-x86)
ok 'eyried ends when asked' pool_stop
tap_end

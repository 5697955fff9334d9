#!/bin/bash
# The guard on a hypervisor host, in libvirt's real hooks: domains of the pool start when they keep to the
# folder that the host's owner gave, and are refused, in a sentence, when they reach beyond it, also
# through the file beneath a disk. Nobody else's domains are concerned. QEMU is started paused: nothing boots.
set -eu

# shellcheck source=tests/live/tap.sh
. "$(dirname "$0")/../tap.sh"
# shellcheck source=scripts/lib/stage.sh
. "$(dirname "$0")/../../../scripts/lib/stage.sh"
# shellcheck source=scripts/lib/pool.sh
. "$EYRIE_SOURCE/scripts/lib/pool.sh"

folder=/run/lab/images disks=/run/lab/images/eyrie name=vpool-small-11111111
outside=$EYRIE_LAB/outside.img

# domain NAME DEVICES [REST]: a domain of QEMU's with these devices.
domain() {
	cat <<-END
		<domain type='qemu' xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'>
		  <name>$1</name><memory unit='MiB'>32</memory>
		  <os><type arch='x86_64'>hvm</type></os>
		  <devices>$2</devices>${3:-}
		</domain>
	END
}
disk() { echo "<disk type='file'><driver name='qemu' type='$2'/><source file='$1'/><target dev='vda' bus='virtio'/></disk>"; }
# create XML: whether it starts; what libvirt says is in $said.
paused=--paused
create() {
	# shellcheck disable=SC2086 # none, or one
	said=$("$lab" run virsh -q -c "$pool_uri" create $paused /dev/stdin <<<"$1" 2>&1) || return 1
	virsh_lab destroy "$(sed -n 's/.*<name>\(.*\)<.name>.*/\1/p' <<<"$1")" >/dev/null
}
starts() { create "$1" || { note "$said" && false; }; }
refused() { ! create "$1" && { grep -qF -- "$2" <<<"$said" || { note "$said" && false; }; }; }
no_pid() { ! "$lab" run kill -0 "$1" 2>/dev/null; }
answers() { virsh_lab list >/dev/null 2>&1; }

trap '"$lab" down' EXIT
trap 'exit 130' INT TERM
stage 'build' pool_compile && "$EYRIE_SOURCE/scripts/image" build container >/dev/null
"$lab" down
"$lab" up
"$lab" run qemu-img create -q -f qcow2 "$disks/good.disk" 1M
"$lab" run qemu-img create -q -f raw "$outside" 1M
"$lab" run qemu-img create -q -f qcow2 -b "$outside" -F raw "$disks/through.disk"
ok 'without a guard any domain starts' starts "$(domain "$name" "$(disk "$outside" raw)")"

installed=$("$lab" run "$EYRIE_SOURCE/packaging/guard/install" --pool vpool --folder "$folder" \
	--libexec "$pool_build/controller/guard")
ok 'it is installed by one command' grep -q /etc/libvirt/hooks/qemu.d/50-eyrie-vpool <<<"$installed"
libvirtd=$("$lab" run cat /run/lab/libvirt/libvirtd.pid)
"$lab" run kill "$libvirtd"
wait_for 20 no_pid "$libvirtd"
wait_for 30 answers

ok 'a domain of the pool with its disk in the folder starts' starts "$(domain "$name" "$(disk "$disks/good.disk" qcow2)")"
ok 'one with a file from elsewhere is refused, and the file is named' \
	refused "$(domain "$name" "$(disk "$outside" raw)")" "$outside"
ok 'also when the file is beneath a disk in the folder' \
	refused "$(domain "$name" "$(disk "$disks/through.disk" qcow2)")" "$outside"
ok 'a raw argument of QEMU is refused, and what would allow it is said' \
	refused "$(domain "$name" '' "<qemu:commandline><qemu:arg value='-S'/></qemu:commandline>")" '--allow raw'
ok "a device of the host's is refused" \
	refused "$(domain "$name" "<hostdev mode='subsystem' type='usb'><source><address bus='1' device='1'/></source></hostdev>")" \
	'--allow hostdev'
ok 'a domain that is not of the pool starts as ever' starts "$(domain web "$(disk "$outside" raw)")"

"$lab" run sed -i 's/ "\$@"$/ --allow raw&/' /etc/libvirt/hooks/qemu.d/50-eyrie-vpool
ok 'what the owner allows starts' \
	starts "$(domain "$name" '' "<qemu:commandline><qemu:arg value='-S'/></qemu:commandline>")"

container() {
	sed "s/<name>.*</<name>$name</; s#<source dir='.*'/>#<source dir='$1'/>#; s#<init>.*<#<init>/bin/sleep</init><initarg>60</initarg><#" \
		"$EYRIE_SOURCE/vm-templates/container/domain.xml" | sed "s#</initarg></init>#</initarg>#"
}
pool_uri=$containers_uri paused=''
ok 'a container whose root is in the folder starts' starts "$(container "$disks/container-condor")"
ok 'a container whose root is elsewhere is refused' refused "$(container /run/lab/tree)" /run/lab/tree
tap_end

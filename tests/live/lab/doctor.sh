#!/bin/bash
# eyrie doctor on the lab: all is well, then one thing after the other is broken for real, found with
# what mends it, mended, and well again. Needs a lab that nobody else uses; takes about three minutes.
set -eu

# shellcheck source=tests/live/tap.sh
. "$(dirname "$0")/../tap.sh"
# shellcheck source=scripts/lib/stage.sh
. "$(dirname "$0")/../../../scripts/lib/stage.sh"
# shellcheck source=scripts/lib/pool.sh
. "$EYRIE_SOURCE/scripts/lib/pool.sh"
said=$EYRIE_LAB/doctor.out
policy=$pool_dir/eyrie.yaml

on() { "$lab" exec "$@"; }
# The tools of the lab are those of other machines, which share this folder with the lab host.
all() { "$lab" run env TMPDIR=/run/lab/vcm "$pool_build/controller/cli/eyrie" doctor -c "$policy" "$@"; }
doctor() { all -q >"$said" 2>&1; }

finds() { # FINDING MEND COUNT
	local status=0
	doctor || status=$?
	[ "$status" = 3 ] && [ "$(grep -c '^  WRONG' "$said")" = "$3" ] &&
		grep -A2 -E "^  WRONG .*$1" "$said" | grep -qE "^  mend .*$2"
}
# found WHAT FINDING MEND [COUNT]: within half a minute: HTCondor tells nobody when it has read its
# configuration.
found() {
	ok "$1 is found" wait_for 30 finds "$2" "$3" "${4:-1}" || true
	tell
}
well() {
	ok "$1" wait_for 30 doctor
	tell
}
# What doctor said in the end, if that was not it.
shown=0
tell() {
	[ "$tap_failed" = "$shown" ] || sed 's/^/# /' "$said"
	shown=$tap_failed
}

knob() { # MACHINE LINE
	"$lab" run tee "/run/lab/$1/config.d/99-test.conf" <<<"$2" >/dev/null
	reconfigure "$1"
}
reconfigure() { on "$1" condor_reconfig >/dev/null; }
unset_knobs() {
	"$lab" run rm -f /run/lab/schedd/config.d/99-test.conf /run/lab/vcm/config.d/99-test.conf
	reconfigure schedd && reconfigure vcm
}
answers() { on schedd condor_q >/dev/null 2>&1; }
joined() { on vcm condor_status -af Name | grep -q "^slot1@$1"; }

trap pool_end EXIT
trap 'exit 130' INT TERM
pool_ready debian13
pool_configure vms=3
# As much as any machine has that runs the lab.
sed -i '/name: hv1/s/memory: [^,]*/memory: 2GiB/' "$policy"

well 'a healthy lab, before eyried ever ran'

knob schedd 'SCHEDD_INTERVAL = 3600'
found 'a knob of the schedd' 'schedd.lab: SCHEDD_INTERVAL is "3600" by /run/lab/schedd/config.d/99-test.conf, line 1' 'change SCHEDD_INTERVAL .*condor_reconfig'
unset_knobs
knob vcm 'COLLECTOR_REQUIREMENTS = true'
found 'a collector that admits anybody' 'COLLECTOR_REQUIREMENTS is "true" by /run/lab/vcm/config.d/99-test.conf' 'EyrieUUID in /run/lab/vcm'
knob vcm 'NEGOTIATOR_CONSIDER_PREEMPTION = true'
found 'a negotiator that preempts' 'NEGOTIATOR_CONSIDER_PREEMPTION is "true"' '99-test.conf'
knob vcm 'ALLOW_ADMINISTRATOR = nobody@vpool.lab'
found 'a missing right to drain' 'may not drain VMs' 'ALLOW_ADMINISTRATOR'
# Nobody may reconfigure it now, but who started it.
"$lab" run rm /run/lab/vcm/config.d/99-test.conf
"$lab" stop vcm && "$lab" start vcm
well 'mended, all is well again'

"$lab" run "$EYRIE_SOURCE/tests/live/lab/standin" vm-11111111 11111111-aaaa-4aaa-8aaa-000000000001 10.77.0.31
ok 'a VM joins' wait_for 30 joined vm-11111111
well 'with a VM in the pool all is well'
ok 'eyried may drain it' grep -q 'vm-11111111.*eyried may drain it' <<<"$(all)"
on vm-11111111 condor_off -master >/dev/null
ok 'it leaves' wait_for 90 not joined vm-11111111

on schedd mv /etc/condor/tokens.d/vpool /root/
found "the schedd's missing token of the virtual pool" 'schedd.lab: it may not tell the virtual pool' 'condor_token_create -identity schedd@vpool.lab'
on schedd mv /root/vpool /etc/condor/tokens.d/
on vcm mv /etc/condor/tokens.d/main /root/
found "eyried's missing token of the main pool" 'schedd.lab: the queue cannot be read' 'condor_ping -pool cm.lab -name schedd.lab'
on vcm mv /root/main /etc/condor/tokens.d/
well 'mended, all is well again'

# A machine that has another key of that name than the central manager.
"$lab" run sh -c 'mkdir -m 700 /run/lab/vcm/keys && umask 077 && head -c 48 /dev/urandom | base64 -w 0 >/run/lab/vcm/keys/EYRIE'
"$lab" run sh -c 'cp -r /run/lab/bin/vcm /run/lab/bin/other && cd /run/lab/bin/other &&
	sed -i "2i export _CONDOR_SEC_PASSWORD_DIRECTORY=/run/lab/vcm/keys" condor_token_create condor_config_val'
sed -i 's|tools: /run/lab/bin/vcm|tools: /run/lab/bin/other|' "$policy"
found 'a wrong signing key' 'does not admit a VM with its token' 'sha256sum the key EYRIE'
"$lab" run rm /run/lab/vcm/keys/EYRIE
found 'a missing signing key' 'no token can be made' 'copy the key EYRIE' 2
sed -i 's|tools: /run/lab/bin/other|tools: /run/lab/bin/vcm|' "$policy"

virsh_lab pool-destroy eyrie >/dev/null
found 'a storage pool that was stopped' 'hv1: storage pool eyrie is not running' "pool-start eyrie"
virsh_lab pool-start eyrie >/dev/null
image=$EYRIE_LAB/images/eyrie/debian13-condor.qcow2
mv "$image" "$image.away"
found 'an image that was removed' 'template small: image debian13-condor.qcow2' 'copy debian13-condor.qcow2 into'
mv "$image.away" "$image"
virsh_lab pool-refresh eyrie >/dev/null
well 'mended, all is well again'

# It is there, whoever runs QEMU can open it, and no guest starts with it.
"$lab" run mknod -m 666 /dev/kvm c 1 3
found 'a /dev/kvm that is of no use' 'libvirt starts QEMU anew each time' 'ls -l /dev/kvm'
"$lab" run rm /dev/kvm
sed -i "s/<domain type='qemu'>/<domain type='kvm'>/" "$pool_dir/debian13.xml"
found 'a domain type that the host does not offer' 'small is of type kvm' 'ls -l /dev/kvm'
sed -i "s/<domain type='kvm'>/<domain type='qemu'>/; /cx16/d" "$pool_dir/debian13.xml"
found 'a cpu that the guest does not survive' 'an emulated cpu with cmpxchg16b' 'cx16'
cp "$EYRIE_SOURCE/vm-templates/debian13/domain.xml" "$pool_dir/debian13.xml"
sed -i "s/machine='pc'/machine='pcc'/" "$pool_dir/debian13.xml"
found 'a domain that libvirt refuses' 'template small: libvirt refuses the domain' 'virt-xml-validate'
cp "$EYRIE_SOURCE/vm-templates/debian13/domain.xml" "$pool_dir/debian13.xml"
well 'mended, all is well again'

on schedd condor_off -schedd >/dev/null
found 'a schedd that is down' 'schedd.lab: the queue cannot be read' 'does it run'
on schedd condor_on -schedd >/dev/null
wait_for 30 answers

pool_start
well 'with eyried and its fragment all is well'
knob schedd 'FLOCK_BY_DEFAULT = true'
found 'a later file that overrides the fragment' 'FLOCK_BY_DEFAULT is "true" by /run/lab/schedd/config.d/99-test.conf' 'take it out of /run/lab/schedd/config.d/99-test.conf, line 1'
knob schedd 'ALLOW_NEGOTIATOR = condor@main.lab'
found 'a schedd that does not admit the negotiator' 'does not admit the negotiator of vcm.lab:9618' 'condor@vpool.lab in a later file'
unset_knobs
well 'mended, all is well again'
pool_stop
found 'an eyried that was stopped' 'does not listen on' 'systemctl restart eyried'
"$lab" run rm /run/lab/schedd/config.d/60-eyrie-vpool.conf
reconfigure schedd
found 'the missing fragment' 'there is no /run/lab/schedd/config.d/60-eyrie-vpool.conf' 'eyrie flock apply' 2
pool_start
well 'eyried puts it back, and all is well'

tap_end

# shellcheck shell=bash
# Hosts that hang, die and come back, as eyried sees them. Sourced by run, whose helpers it uses. The
# test driver cannot hang, so its worker does; a host that is dead has a worker that never answers.
# shellcheck disable=SC2154 # set there

# two_hosts: hv1 and hv2, each dead as long as a file says so.
two_hosts() {
	write_config
	cp "$source_dir/controller/host/test-node.xml" "$T/two.xml"
	sed -i "s|^hosts:|hosts:\n  - { name: hv2, uri: \"test://$T/two.xml\", cpus: 16, memory: 16GiB, storage_pool: eyrie }|" "$T/eyrie.yaml"
	cat >"$T/eyrie-host" <<-END
		#!/bin/sh
		case \$* in
		*test-node.xml) [ ! -e $T/hv1.dead ] || exec sleep 1000 ;;
		*two.xml) [ ! -e $T/hv2.dead ] || exec sleep 1000 ;;
		esac
		exec $build/controller/host/eyrie-host "\$@"
	END
	chmod +x "$T/eyrie-host"
	sed -i "s|host_program: [^ ]*|host_program: $T/eyrie-host|" "$T/eyrie.yaml"
}
# worker_of HOST-FILE: the process that holds that host.
worker_of() {
	local pid
	tr ' ' '\n' <"/proc/$eyried_pid/task/$eyried_pid/children" | while read -r pid; do
		! tr '\0' '\n' <"/proc/$pid/cmdline" 2>/dev/null | grep -q "/$1\$" || echo "$pid"
	done
}
die() { # HOST HOST-FILE
	: >"$T/$1.dead"
	kill -KILL "$(worker_of "$2")"
}
fails() { eyrie status | grep -qE "host $1: .*$2"; }
vms_on() { [ "$(eyrie vms --host "$1" | grep '^vpool-small-' | grep -vc foreign)" = "$2" ]; }
has_vms() { ! vms_on "$1" 0; }

test_a_host_that_hangs_is_noticed_gets_no_vm_and_delays_no_other() {
	two_hosts
	start || return
	until_true 'both answer' both_ready || return
	local hung
	hung=$(worker_of test-node.xml)
	kill -STOP "$hung"
	until_true 'it is noticed' fails hv1 'gets no new VM: no answer to list for 4s' || return
	idle_jobs alice juno 2 2
	until_true 'both VMs are on the other host' vms_on hv2 2 || return
	vms_on hv1 0 || fail 'a VM on the host that hangs' || return
	until_true 'its worker is killed' grep -q 'eyrie-host was killed: no answer to list within 15s' "$T/log" || return
	until_true 'and started again, which helps' never_fails_hv1
}
both_ready() { [ "$(eyrie hosts | grep -c ready)" = 2 ]; }
never_fails_hv1() { ! eyrie status | grep -q 'host hv1:'; }

test_a_fenced_host_gives_its_vms_to_others_and_is_emptied_when_it_is_back() {
	trust=3s two_hosts
	start || return
	until_true 'both answer' both_ready || return
	local said uuid
	said=$(eyrie fence hv1 --yes) || fail "fence of a host that answers: $?" || return
	has 'hv1 answers, so it is not off' "$said" || return
	eyrie cordon hv2 --yes >/dev/null
	idle_jobs alice juno 2 2
	until_true 'two VMs' vms_on hv1 2 || return
	uuid=$(uuids | head -n 1)
	claimed "$uuid" 7.1
	until_true 'one is busy' is_state "$uuid" busy || return
	die hv1 test-node.xml
	eyrie uncordon hv2 --yes >/dev/null
	until_true 'they are lost' is_state "$uuid" lost || return
	never 'another VM: the group has what it may have' vms_on hv2 1 || return
	said=$(eyrie fence hv1 2>&1)
	[ $? = 64 ] || fail 'done without a yes' || return
	has '2 VMs on it count as gone: other hosts may take their place' "$said" || return
	has '1 slot was claimed when last seen .7.1 in' "$said" || return
	eyrie fence hv1 --yes --reason 'no power' >/dev/null || fail "fence: $?" || return
	until_true 'its ads are taken away' called condor_advertise || return
	: >"$T/condor/slots"
	until_true 'the other host has two VMs' vms_on hv2 2 || return
	until_true 'they are forgotten' vms_on hv1 0 || return
	has '^hv1 +fenced' "$(eyrie hosts)" || return
	has "hv1 is fenced by $(id -un) .*no power" "$(eyrie status)" || return
	stop KILL
	rm "$T/hv1.dead"
	start || return # the test driver's VMs are gone with their workers, and the order stays
	until_true 'hv1 answers' grep -q 'host hv1: connected' "$T/log" || return
	eyrie cordon hv2 --yes >/dev/null
	never 'a VM on a fenced host' vms_on hv1 1 || return
	has '^hv1 +fenced' "$(eyrie hosts)" || return
	eyrie unfence hv1 --yes >/dev/null || fail "unfence: $?" || return
	has 'unfenced +hv1' "$(eyrie events --host hv1)" || return
	# One may try it first: those that went with their workers had not joined, which are failed starts.
	until_true 'hv1 takes VMs again' has_vms hv1
}

test_a_removed_host_that_is_off_is_let_go_of_when_fenced() {
	trust=3s two_hosts
	start || return
	until_true 'both answer' both_ready || return
	eyrie cordon hv2 --yes >/dev/null
	idle_jobs alice juno 1 1
	until_true 'a VM' vms_on hv1 1 || return
	die hv1 test-node.xml
	sed -i '/name: hv1/d' "$T/eyrie.yaml"
	until_true 'it is removed' grep -q 'host-removed hv1' "$T/log" || return
	never 'it is let go of' grep -q 'host-left hv1' "$T/log" || return
	eyrie fence hv1 --yes >/dev/null || fail "fence: $?" || return
	until_true 'it is let go of' grep -q 'host-left hv1' "$T/log" || return
	until_true 'its VM is forgotten, too' no_vms || return
	until_true 'the order does not outlive it' nothing_is_fenced
}
nothing_is_fenced() { ! eyrie status | grep -q 'hv1 is fenced'; }

# The test driver takes no uploads: what is to be said of a host that does not, and that the others are tried.
test_a_push_says_of_each_host_why_it_has_not_the_image() {
	two_hosts
	printf 'QFI\373%100s' '' >"$T/new.qcow2"
	local said
	said=$(eyrie image push "$T/new.qcow2" -c "$T/eyrie.yaml")
	[ $? = 1 ] || fail 'not 1' || return
	has '^hv1: cannot upload new.qcow2: .*not supported' "$said" || return
	has '^hv2: cannot upload new.qcow2: .*not supported' "$said" || return
	said=$(eyrie image push "$T/new.qcow2" -c "$T/eyrie.yaml" --host hv2 -o json)
	has '"failed":1,"hosts":.."name":"hv2"' "$(tr -d ' ' <<<"$said")" || return
	said=$(eyrie image push "$T/new.qcow2" -c "$T/eyrie.yaml" --host hv3 2>&1)
	has 'has no host hv3' "$said" || return
	said=$(eyrie image push "$T/eyrie.yaml" -c "$T/eyrie.yaml")
	has 'hv1: push: "eyrie.yaml" is no name for an image: those end in .qcow2' "$said" || return
	eyrie image push 2>/dev/null
	[ $? = 64 ] || fail 'no file is no usage error'
}

# shellcheck shell=bash
# A faulty filter around each port (faulty.c, and the rules of controller/sim/filter.h): a pool in which jobs run goes through its work
# while calls are struck; then they are not any more, and the pool converges. Every job is done once, no VM is killed under it, there are
# never more VMs than may be, and nothing is left. The host is libvirt's test driver in a libvirtd, which outlives eyrie-host.
# Sourced by run, whose helpers it uses.
# shellcheck disable=SC2154,SC2034 # set there, and used there

filters_beside=8 # they mostly wait
filter_jobs=12
filter_vms=3

# A pool each: the call · what is done to which of its calls · other rules, so that it is called at all · what is said of it in the log or
# by eyrie status, a regular expression each (with " & " between). What hangs, and what succeeds late, is given up after 60 s by create and
# destroy, and after 10 to 30 s by the others. Where success is seen before that, nobody need be told.
filters='
host.create          | hang, 2nd; late 3s, 4th; delay 2s, 5th; fail, 6th; lie, 8th; duplicate, 9th | | create-failed .*the filter failed it & create-failed .*no answer to create within 1m
host.list            | fail, 4th; lie, 7th; delay 2s, 10th; lie, 13th; fail, 16th; lie, 20th; hang, 24th | | no answer to list for 4s & no answer to list within 15s
host.shutdown        | hang, 2nd; late 3s, 4th; delay 2s, 5th; fail, 6th; lie, 8th; duplicate, 9th | | poweroff-failed .*the filter failed it & poweroff-failed .*no answer to shutdown within 10s
host.destroy         | fail, 1st; lie, 3rd; delay 2s, 4th; duplicate, 5th; late 3s, 7th; hang, 8th | host.shutdown: lie | destroy-failed .*the filter failed it & destroy-failed .*no answer to destroy within 1m
host.delete_volume   | hang, 2nd; late 3s, 4th; delay 2s, 5th; fail, 6th; lie, 8th; duplicate, 9th | | delete-volume-failed .*the filter failed it
condor_q             | fail, 2nd; lie, 4th; delay 2s, 6th; lie, 8th; fail, 10th; hang, 12th; hang, 13th; lie, 15th | | condor_q had not ended after 20s
condor_status        | fail, 2nd; lie, 4th; delay 2s, 6th; lie, 8th; fail, 10th; hang, 12th; hang, 13th; lie, 15th | | condor_status had not ended after 20s
condor_advertise     | fail, 1st; lie, 3rd; delay 2s, 4th; duplicate, 5th; late 3s, 7th; hang, 9th | | invalidate-failed .*the filter failed it & invalidate-failed .*20s
condor_token_create  | hang, 2nd; delay 2s, 4th; fail, 5th; lie, 7th; lie, 9th | | create-failed .*the filter failed it & create-failed .*20s & destroy .*no slot for
condor_config_val    | fail, 1st; delay 1s, 2nd; lie, 3rd | | flock-apply-failed .*the filter failed it & flock-apply-failed .*is "Not defined
condor_reconfig      | fail, 1st; lie, 2nd; hang, 3rd; duplicate, 4th | | flock-apply-failed .*the filter failed it
condor_drain         | hang, 2nd; late 3s, 4th; delay 2s, 5th; fail, 6th; lie, 8th; duplicate, 9th | | drain-failed .*the filter failed it & drain-failed .*30s
'

# each_filter CMD…: for each row, with NAME RULES SAID
each_filter() {
	local call does with said rules one
	while IFS='|' read -r call does with said; do
		call=$(trim "$call")
		[[ -n $call && " ${calls/each/$call} " == *" ${calls:+$call}"* ]] || continue
		rules=''
		while IFS= read -r one; do
			rules+="$call: $(trim "$one"); "
			[ "$each" = 0 ] || filter_add "${call}_$(cut -d, -f1 <<<"$one")" "$call: ${one%%,*}, every 3rd;$with" ''
		done < <(tr ';' '\n' <<<"$does")
		[ "$each" = 1 ] || filter_add "$call" "$rules$with" "$said"
	done <<<"$filters"
}
filter_add() { # NAME RULES SAID
	local name=test_filter_${1//[^a-z0-9]/_}
	! declare -F "$name" >/dev/null || return 0 # an effect that the row has twice
	eval "$name() { filter_test '$(trim "$2")' '$(trim "$3")'; }"
	tests+=("$name")
}
filter_tests() { # [each | CALL…]: fills tests; a pool for each effect of each call
	local each=0 calls
	calls="$*"
	[ "${1:-}" != each ] || each=1
	tests=()
	each_filter
	[ ${#tests[@]} -gt 0 ] || { echo "no such call: $*" >&2; exit 64; }
}
trim() { sed 's/^[ ;]*//; s/[ ;]*$//' <<<"$1"; }

# A libvirtd of our own, as nobody, in which the test driver's host lives as long as somebody holds it open.
host_begin() {
	local home=$T/libvirt
	mkdir -p "$home"
	chmod 711 "$work" "$T"
	chown 65534 "$home"
	printf 'auth_unix_rw = "none"\nauth_unix_ro = "none"\n' >"$home/conf"
	setpriv --reuid 65534 --regid 65534 --clear-groups --pdeathsig KILL -- \
		env HOME="$home" XDG_RUNTIME_DIR="$home" XDG_CONFIG_HOME="$home" XDG_CACHE_HOME="$home" \
		libvirtd --config "$home/conf" --pid-file "$home/pid" >"$home/log" 2>&1 &
	libvirtd=$!
	export FAKE_DOMAINS="test+unix:///default?socket=$home/libvirt/libvirt-sock"
	until_true 'libvirtd listens' test -S "$home/libvirt/libvirt-sock" || return
	export FAKE_THERE=$T/there
	setpriv --pdeathsig KILL -- "$build/tests/functional/domains" watch "$FAKE_THERE" 2>"$home/watch" &
	holder=$!
	until_true 'the host is watched' test -e "$FAKE_THERE" || return
	virsh -q -c "$FAKE_DOMAINS" vol-create-as default-pool debian13-condor.qcow2 2G --format qcow2 >"$home/virsh" 2>&1
}
host_end() {
	[ -n "${libvirtd:-}" ] || return 0
	kill "$libvirtd" ${holder:+"$holder"} 2>/dev/null
	wait "$libvirtd" 2>/dev/null
	libvirtd=''
}

domains() { "$build/tests/functional/domains" "$@"; }

# As alive_config, with the filter before eyrie-host and all tools.
filter_config() { # RULE
	local tool faulty=$build/tests/functional/faulty
	export FAULTY=$T/faulty
	host_begin || return
	idle=0s join=5s write_config
	mkdir -p "$T/tools" "$FAULTY/true"
	for tool in condor_q condor_status condor_token_create condor_drain condor_advertise; do ln -s "$build/tests/functional/alive" "$FAULTY/true/$tool"; done
	for tool in condor_config_val condor_reconfig; do ln -s "$here/fake-condor/tool" "$FAULTY/true/$tool"; done
	for tool in "$FAULTY"/true/*; do ln -s "$faulty" "$T/tools/${tool##*/}"; done
	ln -s "$build/controller/host/eyrie-host" "$FAULTY/true/eyrie-host"
	ln -s "$faulty" "$T/tools/eyrie-host"
	sed -i -e "s|tools: [^ ]*|tools: $T/tools|" -e "s|host_program: [^ ]*|host_program: $T/tools/eyrie-host|" \
		-e "s/^limits:.*/limits: { vms: $filter_vms, cpus: $((filter_vms * 2)), slow_start: 0, starts_in_flight: $filter_vms, starts_per_minute: 100000 }/" \
		-e "s/poweroff_within: 1m/poweroff_within: ${poweroff:-1m}/" -e "s/max: 4/max: $((filter_vms * 2))/" -e "s/look_every: 1s/look_every: 300ms/" -e "s|^  - { name: hv1,.*|  - { name: hv1, uri: \"$FAKE_DOMAINS\", cpus: 100, memory: 900GiB, storage_pool: default-pool }|" "$T/eyrie.yaml"
	alive begin "$filter_jobs"
	echo "$1" >"$FAULTY/rules"
}
faulty() { "$build/tests/functional/faulty" "$@"; }
all_is_over() { flock_state_is applied && pool_is_empty && [[ $(domains left) == 'domains 0 volumes 0 '* ]] && [ "$(faulty late)" = 0 ]; }
all_has_struck() { ! faulty print | grep -q '^0 of'; }

# Whoever looks meanwhile is told what is wrong.
looked() {
	eyrie status >>"$T/status"
	"$@"
}

filter_test() { # RULES SAID
	local stuck=0 most=3000 open said begun=$SECONDS
	[[ $1 != *host.destroy* ]] || local poweroff=2s # else none is asked for
	[[ $1 != condor_q:* && $1 != condor_status:* ]] || local trust=10s # one look that fails is not worth a word
	filter_config "$1" || return
	start || return
	progress "$filter_jobs jobs are done" looked jobs_are_done "$filter_jobs" || return
	progress 'each rule has struck' looked all_has_struck || return
	: >"$FAULTY/over"
	progress 'nothing is left' looked all_is_over || return
	[[ $(alive print) == "idle 0 done $filter_jobs tokens "*' killed 0 most '[0-$filter_vms]' ads 0' ]] || fail "$(alive print)" || return
	[ "$(domains left)" = 'domains 0 volumes 0 others 2' ] || fail "$(domains left)" || return
	open=$(ask_ledger 'SELECT count(*) FROM vm WHERE closed = 0')
	[ "$open" = 0 ] || fail "$open VMs are open in the ledger" || return
	while IFS= read -r said; do
		[ -z "$said" ] || grep -qE "$said" "$T/log" "$T/status" || fail "nobody was told: $said" || return
	done <<<"${2// & /$'\n'}"
	paste -d' ' <(tr ';' '\n' <"$FAULTY/rules" | sed 's/^ */# /; s/$/: struck/') <(faulty print)
	echo "# in $((SECONDS - begun)) s: killed 0, doubled 0, leaked 0"
}

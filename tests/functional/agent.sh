# shellcheck shell=bash
# Agents: the real eyrie-agent and eyried over TLS, with a fragment that only the agent can write.
# Sourced by run.

# shellcheck disable=SC2154 # run has it
agent_program=$build/controller/agent/eyrie-agent
agent_pid=''

# agent_config: the pool's policy, with an agent for its schedd. The certificate is this test's own.
agent_config() {
	port=$((20000 + BASHPID % 30000))
	write_config
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=eyried \
		-addext subjectAltName=IP:127.0.0.1 -keyout "$T/key.pem" -out "$T/cert.pem" 2>/dev/null
	sed -i 's|flock: [^,]*,|flock: agent,|' "$T/eyrie.yaml"
	echo "agents: { listen: '127.0.0.1:$port', certificate: cert.pem, key: key.pem }" >>"$T/eyrie.yaml"
	file=$T/condor/config.d/60-eyrie.conf
}
walltime() { sed -i "s/^  juno: .*/  juno: { max: 4, submitters: [alice], max_walltime: $1 }/" "$T/eyrie.yaml"; }

# agent_join: as an admin does it: the command that eyrie prints, with the token typed in.
agent_invite() { # [NAME]
	local said
	said=$(eyrie agent add "${1:-schedd}") || fail "agent add: $said" || return
	secret=$(sed -n 's/^ *\(eyrie-join-[0-9a-f]*\)$/\1/p' <<<"$said")
	pin=$(grep -o 'pin=[^ ]*' <<<"$said" | cut -d= -f2-)
	[ -n "$secret" ] || fail "no token in: $said" || return
	[ -n "$pin" ] || fail "no pin in: $said"
}
# shellcheck disable=SC2154 # run has here
agent_try() { # SECRET [OPTION…]
	local what=$1
	shift
	"$agent_program" join --state="$T/agent" --server="127.0.0.1:$port" --fragment="$file" \
		--tools="$here/fake-condor" --pin="$pin" "$@" <<<"$what" 2>&1
}
agent_join() {
	local said
	agent_invite || return
	said=$(agent_try "$secret") || fail "join: $said"
}
agent_start() {
	setpriv --pdeathsig KILL -- "$agent_program" --state="$T/agent" >>"$T/agent.log" 2>&1 &
	agent_pid=$!
}
agent_stop() {
	[ -n "$agent_pid" ] || return 0
	kill -"${1:-TERM}" "$agent_pid" 2>/dev/null
	wait "$agent_pid" 2>/dev/null
	agent_pid=''
}
agent_once() { "$agent_program" --once --state="$T/agent" 2>>"$T/agent.log"; }
agent_ready() { agent_config && start && agent_join && agent_start && until_true 'it is applied' agent_applied; }
agent_applied() { flock_state_is applied; }
flock_state_is() { eyrie flock -o json | grep -q "\"state\": *\"$1\""; }
flock_says() { eyrie flock -o json | grep -qE "$1"; }
agent_says() { grep -qE "$1" "$T/agent.log"; }
# The longest walltime that the fragment allows; the one that the "schedd" has read.
allows() { grep -q "min({[^}]*, *$2 *})\|[^0-9]$2[^0-9]" "$1"; }
file_allows() { allows "$file" "$1"; }
schedd_allows() { allows "$T/condor/believed" "$1"; }

test_an_agent_applies_what_a_changed_policy_says() {
	agent_ready || return
	has 'FLOCK_BY_DEFAULT = false' "$(cat "$file")" || return
	walltime 12345s
	until_true 'the schedd has read it' schedd_allows 12345 || return
	until_true 'eyried knows' agent_applied || return
	has '^schedd +well .* 2 +2 ' "$(eyrie agent)" || return
	[ "$(stat -c %a "$T/agent/joined.json")" = 600 ] || fail 'others may read the token' || return
	local token
	token=$(grep -o 'eyrie-agent-[0-9a-f]*' "$T/agent/joined.json")
	! grep -rqsa -e "$token" -e "$secret" "$T/state" "$T/log" "$T/agent.log" ||
		fail 'a token is in the ledger or a log'
}

test_an_agent_names_a_later_file_that_overrides_the_fragment() {
	agent_ready || return
	echo 'FLOCK_BY_DEFAULT = true' >"$T/condor/config.d/99-site.conf"
	fake_reconfig
	until_true 'eyried knows' flock_says 'FLOCK_BY_DEFAULT is .*true.* by .*99-site.conf, line 1' || return
	local said
	said=$(eyrie status)
	[ $? = 3 ] || fail 'status is not degraded' || return
	has 'flocking of schedd: FLOCK_BY_DEFAULT is "true" by .*/99-site.conf, line 1' "$said" || return
	agent_says 'differs schedd: FLOCK_BY_DEFAULT' || fail 'the agent does not say it' || return
	rm "$T/condor/config.d/99-site.conf"
	fake_reconfig
	until_true 'it is well again' flock_is_well || return
	# a daemon that comes up with another configuration is told again
	echo 'EYRIE_REVISION_vpool = 0' >"$T/condor/config.d/99-site.conf"
	fake_reconfig
	rm "$T/condor/config.d/99-site.conf"
	until_true 'the schedd is as it was' believes_again
}
fake_reconfig() { FAKE_CONDOR=$T/condor "$here/fake-condor/condor_reconfig" -schedd; }
flock_is_well() { eyrie flock -o json | grep -q '"error": *null' && flock_state_is applied; }
believes_again() { cmp -s "$T/condor/believed" "$file"; }

test_an_agent_without_its_controller_keeps_and_mends_the_fragment() {
	agent_ready || return
	stop KILL
	until_true 'it says so' agent_says 'controller-lost schedd: .*revision 1 stays in place' || return
	echo '# by hand' >>"$file"
	until_true 'it is mended' not_edited || return
	[ "$(grep -c controller-lost "$T/agent.log")" = 1 ] || fail 'it is said more than once' || return
	walltime 777s
	start || return
	until_true 'it catches up' schedd_allows 777 || return
	until_true 'and says so' agent_says controller-back
}
not_edited() { ! grep -q 'by hand' "$file"; }

test_an_agent_that_was_killed_catches_up() {
	agent_ready || return
	agent_stop KILL
	walltime 888s
	until_true 'eyried has another fragment for it' grep -q 'policy groups.juno.max_walltime' "$T/log" || return
	until_true 'it is offered' offered_twice || return
	! file_allows 888 || fail 'who applied it?' || return
	agent_start
	until_true 'the schedd has read it' schedd_allows 888
}
offered_twice() { [ "$(grep -c 'flock-apply-done' "$T/log")" -ge 2 ]; }

test_a_joining_token_is_good_once_and_for_an_hour() {
	agent_config
	start && agent_join || return
	local said
	said=$(agent_try "$secret")
	[ $? = 77 ] || fail "it is good twice: $said" || return
	has 'it was used' "$said" || return
	said=$(agent_try eyrie-join-0000)
	[ $? = 77 ] || fail "a token that nobody gave: $said" || return
	agent_invite || return
	: >"$T/file"
	said=$("$agent_program" join --state="$T/file/agent" --server="127.0.0.1:$port" --fragment="$file" --pin="$pin" <<<"$secret" 2>&1)
	[ $? = 1 ] || fail "it joined without a place for its token: $said" || return
	said=$(agent_try "$secret") || fail "the token was used up by that: $said" || return
	agent_invite || return
	local old=$secret
	agent_invite || return
	said=$(agent_try "$old")
	[ $? = 77 ] || fail "one that was replaced: $said" || return
	stop
	python3 -c 'import sqlite3, sys
c = sqlite3.connect(sys.argv[1]); c.execute("UPDATE agent SET invited_until = 1"); c.commit()' "$T/state/ledger.sqlite"
	start || return
	said=$(agent_try "$secret")
	[ $? = 77 ] || fail "one that is too old: $said" || return
	has 'too old' "$said"
}

test_an_agent_tells_nothing_to_a_server_with_another_key() {
	agent_config
	start && agent_invite || return
	local said good=$pin
	pin=sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=
	said=$(agent_try "$secret")
	[ $? = 69 ] || fail "it joined: $said" || return
	has 'does not have the key' "$said" || return
	pin=$good
	said=$(agent_try "$secret") || fail "the token was used up: $said" || return
	# the same by an authority, without a pin
	agent_invite || return
	said=$(agent_try "$secret" --pin= --ca="$T/cert.pem") || fail "with a CA: $said" || return
	agent_invite || return
	said=$(agent_try "$secret" --pin= --ca=/etc/ssl/certs/ca-certificates.crt)
	[ $? = 69 ] || fail "by any authority: $said"
}

test_an_agent_refuses_an_old_revision_and_another_controller() {
	agent_ready || return
	walltime 1000s
	until_true 'the second one' schedd_allows 1000 || return
	until_true 'it is reported' agent_applied || return
	stop
	cp "$T/state/ledger.sqlite" "$T/old.sqlite"
	python3 -c 'import sqlite3, sys
c = sqlite3.connect(sys.argv[1]); c.execute("UPDATE agent SET revision = 0, mark = 0"); c.commit()' "$T/state/ledger.sqlite"
	walltime 1001s
	start || return
	until_true 'it is refused' agent_says 'fragment-refused schedd: the fragment is an old one: revision 1, and 2 was applied' || return
	until_true 'eyried knows' flock_says 'the fragment is an old one' || return
	schedd_allows 1000 || fail 'it was applied' || return
	stop
	rm -r "$T/state"
	mkdir "$T/state"
	start || return
	until_true 'another controller does not know it' agent_says 'controller-lost schedd: eyried says: this token is no agent' || return
	schedd_allows 1000 || fail 'the fragment did not stay' || return
	agent_stop
	agent_join && agent_start || return # the way out
	until_true 'it has joined the new one' schedd_allows 1001
}

test_an_agent_from_cron_applies_once() {
	agent_config
	start && agent_join || return
	agent_once || fail "once: $?" || return
	until_true 'eyried knows' agent_applied || return
	walltime 1234s
	until_true 'there is news' offered_twice || return
	agent_once || fail "once more: $?" || return
	schedd_allows 1234 || fail 'it was not applied' || return
	has '^schedd +well .* 2 +2 ' "$(eyrie agent)" || return
	stop
	echo '# by hand' >>"$file"
	agent_once
	[ $? = 69 ] || fail 'nobody was reached, and it exits with something else' || return
	not_edited || fail 'it was not mended' || return
	rm -r "$T/agent"
	agent_once
	[ $? = 78 ] || fail 'it has joined nothing, and exits with something else'
}

test_an_agent_takes_the_fragment_away() {
	agent_ready || return
	eyrie flock remove --yes >/dev/null || fail "flock remove: $?" || return
	until_true 'it is gone' no_file || return
	until_true 'eyried knows' flock_state_is absent || return
	eyrie flock apply --yes >/dev/null || fail "flock apply: $?" || return
	until_true 'it is back' agent_applied || return
	# the schedd leaves the policy
	sed -i 's/name: schedd,/name: other,/' "$T/eyrie.yaml"
	until_true 'it is gone again' no_file || return
	until_true 'and forgotten' grep -q 'schedd-left schedd' "$T/log" || return
	[ -z "$(ls -A "$T/condor/config.d")" ] || fail 'something is left in the folder'
}
no_file() { [ ! -e "$file" ]; }

test_an_agent_that_was_removed_is_none() {
	agent_ready || return
	eyrie agent remove schedd >/dev/null || fail "remove: $?" || return
	until_true 'it is told' agent_says 'controller-lost schedd: eyried says: this token is no agent' || return
	[ -e "$file" ] || fail 'the fragment went with it' || return
	until_true 'eyried knows' flock_says 'no agent has joined' || return
	! eyrie agent remove schedd >/dev/null 2>&1 || fail 'there was another one'
}

test_an_agent_reports_what_htcondor_refuses() {
	agent_config
	mkdir "$T/fragments"
	cp "$source_dir"/flock-config/*.conf "$T/fragments"
	sed -i "s|fragments: [^,]*|fragments: $T/fragments|" "$T/eyrie.yaml"
	start && agent_join && agent_start || return
	until_true 'it is applied' agent_applied || return
	cp "$file" "$T/good"
	echo 'BROKEN' >>"$T/fragments/main-schedd.conf"
	eyrie reload >/dev/null
	until_true 'eyried knows' flock_says 'parser refuses the fragment' || return
	cmp "$file" "$T/good" || fail 'the good one is gone' || return
	eyrie status >/dev/null
	[ $? = 3 ] || fail 'status is not degraded'
}

test_an_agent_of_the_central_manager_keeps_the_shares() {
	agent_config
	sed -i 's|^pool: { |pool: { shares: agent, |; s|flock: agent,|flock: '"$T"'/condor/config.d/60-eyrie.conf,|' "$T/eyrie.yaml"
	start || return
	until_true 'the schedd has its fragment, without an agent' file_exists || return
	file=$T/condor/config.d/61-shares.conf
	agent_invite vcm:9618 || return
	local said
	said=$(agent_try "$secret") || fail "join: $said" || return
	agent_start
	until_true 'the shares are there' grep -qs 'GROUP_NAMES = ' "$file" || return
	until_true 'the negotiator has read them' agent_says 'applied vcm:9618: revision 1' || return
	has '^vcm:9618 +well' "$(eyrie agent)" || return
	said=$(eyrie agent add schedd 2>&1) && fail 'an agent for what needs none' && return 1
	has 'needs no agent: its fragment is .*60-eyrie.conf on eyried' "$said" || return
	said=$(eyrie agent add nobody 2>&1) && fail 'an agent for nobody' && return 1
	has 'names no schedd nobody' "$said"
}
file_exists() { [ -e "$file" ]; }

test_the_agents_door_opens_for_nobody_else() {
	agent_ready || return
	local token
	token=$(sed -n 's/.*"token": *"\([^"]*\)".*/\1/p' "$T/agent/joined.json")
	answers_with 404 GET /v1/status && answers_with 404 GET / && answers_with 405 GET /v1/news || return
	answers_with 200 GET /healthz || return
	answers_with 400 POST /v1/join -d '{}' && answers_with 401 POST /v1/join -d '{"secret": ""}' || return
	answers_with 401 POST /v1/news -d '{}' || return
	answers_with 401 POST /v1/news -d '{}' -H "Authorization: Bearer $secret" || return
	answers_with 400 POST /v1/news -H "Authorization: Bearer $token" -d 'no JSON' || return
	answers_with 400 POST /v1/news -H "Authorization: Bearer $token" || return
	head -c 70000 /dev/zero | tr '\0' ' ' >"$T/long"
	answers_with 413 POST /v1/news -H "Authorization: Bearer $token" --data-binary "@$T/long" || return
	# what is not TLS at all
	! curl -s -o "$T/said" "http://127.0.0.1:$port/healthz" || fail "it speaks without TLS: $(cat "$T/said")" || return
	flock_state_is applied || fail 'the agent was disturbed'
}
answers_with() { # STATUS METHOD PATH [OPTION…]
	local wanted=$1 method=$2 path=$3 got
	shift 3
	got=$(curl -s -o "$T/said" -w '%{http_code}' -X "$method" --cacert "$T/cert.pem" "$@" "https://127.0.0.1:$port$path")
	[ "$got" = "$wanted" ] || fail "$method $path: $got instead of $wanted: $(cat "$T/said")"
}

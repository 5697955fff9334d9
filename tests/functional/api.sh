# shellcheck shell=bash
# The API of the real eyried. Sourced by run, whose helpers it uses.
# shellcheck disable=SC2154 # set there

ask() { curl -sS --max-time 20 --unix-socket "$T/socket" "$@"; } # [OPTION…] URL
status_of() { ask -o "$T/answer" -w '%{http_code}' "$@"; }
url() { echo "http://eyried$1"; }

# Everything that can be asked for, of this pool.
all_answers() {
	local path
	for path in healthz metrics readyz $("$build/tests/api/api-answers" |
		sed -n 's|^{ *"route": *"GET /\(v1/[^"{]*\)".*|\1|p' | sort -u) \
		v1/explain/vm/"$(uuids | head -n 1)" v1/explain/host/hv1 v1/explain/group/juno v1/nothing; do
		ask -i "$(url "/$path")" || return
	done
}

test_the_api_is_as_it_is_described_and_its_metrics_parse() {
	write_config
	start || return
	idle_jobs alice juno 1 2
	until_true 'one VM' has_one_vm || return
	slot_ads Unclaimed Idle "$(uuids)"
	until_true 'it is idle' is_state "$(uuids)" idle || return
	one_job '"JobStatus": 1'
	eyrie request add --group juno --vms 1 --from 2099-12-01 --for 1h >/dev/null || fail "request: $?" || return
	"$source_dir/tests/api/check-openapi" "$source_dir/docs/openapi.yaml" "$build/tests/api/api-answers" \
		"$T/socket" >"$T/openapi" || fail "$(cat "$T/openapi")" || return
	has 'ok 1 - the description itself' "$(cat "$T/openapi")" || return
	has '^content-type: application/openmetrics-text; version=1.0.0; charset=utf-8' \
		"$(ask -D - -o "$T/metrics" "$(url /metrics)" | tr '[:upper:]' '[:lower:]')" || return
	"$source_dir/tests/api/check-metrics" - <"$T/metrics" >"$T/parsed" || fail "$(cat "$T/parsed")" || return
	has '^ok 1' "$(cat "$T/parsed")" || return
	has '^eyrie_vms\{state="idle"\} 1$' "$(cat "$T/metrics")" || return
	has '^eyrie_actions_total\{action="create",result="done"\} 1$' "$(cat "$T/metrics")" || return
	has '^eyrie_jobs\{group="juno",state="starting"\} ' "$(cat "$T/metrics")" || return
	has '^eyrie_look_duration_seconds_count [1-9]' "$(cat "$T/metrics")"
}

test_the_api_shows_no_secret() {
	write_config
	start || return
	idle_jobs alice juno 1 1
	until_true 'one VM' has_one_vm || return
	until_true 'its token was made' grep -q create-done "$T/log" || return
	all_answers >"$T/answers" || fail 'not all is answered' || return
	[ "$(grep -c '^HTTP/1.1 200' "$T/answers")" -ge 14 ] || fail 'most is not answered' || return
	! grep -nE 'canary-of-the-fake-token|eyJ|EYRIE-SEED|SEC_|TOKEN ' "$T/answers" || fail 'a secret is shown'
}

test_the_api_lets_anyone_look_and_admins_change() {
	[ "$(id -u)" = 0 ] || { echo '# not root: there is no other user to be'; return 0; }
	write_config
	start || return
	until_true 'it is ready' ready || return
	[ "$(stat -c %a "$T/socket")" = 666 ] || fail "mode $(stat -c %a "$T/socket")" || return
	chmod 755 "$work" "$T"
	as_nobody() { setpriv --reuid 65534 --regid 65534 --clear-groups curl -sS --unix-socket "$T/socket" "$@"; }
	has '"state"' "$(as_nobody "$(url /v1/status)")" || return
	has 'uid 65534|nobody' "$(as_nobody -X POST "$(url /v1/pause)")" || return
	has '403$' "$(as_nobody -w '%{http_code}' -X POST "$(url /v1/pause)")" || return
	has '"paused": *false' "$(ask "$(url /v1/status)")" || return
	[ "$(status_of -X POST "$(url /v1/pause)")" = 200 ] || fail "root: $(cat "$T/answer")" || return
	until_true 'it is paused' paused
}
ready() { [ "$(status_of "$(url /readyz)")" = 200 ]; }
paused() { grep -q '"paused": *true' <<<"$(ask "$(url /v1/status)")"; }

test_the_api_says_why_the_pool_is_not_ready() {
	trust=3s write_config
	echo 'Failed to fetch ads' >"$T/condor/condor_status.fails"
	start || return
	until_true 'the pool has failed' not_ready 'pool: no complete answer yet of vpool: .*Failed to fetch ads' || return
	rm "$T/condor/condor_status.fails"
	until_true 'it is ready' ready || return
	echo 'Failed to fetch ads' >"$T/condor/condor_q.fails"
	until_true 'the queue is stale' not_ready 'queue: no fresh answer of schedd' || return
	[ "$(status_of "$(url /healthz)")" = 200 ] || fail 'it is not alive'
}
not_ready() { [ "$(status_of "$(url /readyz)")" = 503 ] && grep -q "$1" "$T/answer"; }

test_the_api_answers_others_while_clients_idle() {
	write_config
	start || return
	until_true 'it is ready' ready || return
	mkfifo "$T/hold"
	"$source_dir/tests/api/idle-clients" "$T/socket" 200 <"$T/hold" >"$T/idlers" &
	exec 7>"$T/hold"
	while_clients_idle
	local result=$?
	exec 7>&-
	wait %%
	return $result
}
while_clients_idle() {
	local steps
	until_true 'they are open' grep -q open "$T/idlers" || return
	until_true 'they are seen' idlers_seen || return
	steps=$(step_count)
	idle_jobs alice juno 1 1
	until_true 'one VM' has_one_vm || return
	[ "$(step_count)" -gt "$steps" ] || fail 'no step was taken' || return
	[ "$(metric 'eyrie_api_cut_connections_total{reason="crowded"}')" = 0 ] || fail 'one was cut'
}
idlers_seen() { [ "$(metric eyrie_api_connections)" -gt 200 ]; }
step_count() { metric eyrie_step_duration_seconds_count; }
metric() { ask "$(url /metrics)" | awk -v name="$1" '$1 == name { print $2 }'; }

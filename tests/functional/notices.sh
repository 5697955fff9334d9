# shellcheck shell=bash
# What groups are told of their requests: a real webhook and a command, and that no kill loses a notice.
# Sourced by run, whose helpers it uses.
# shellcheck disable=SC2154 # set there

free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
# times_told FILE EVENT: so often it was told.
times_told() { grep -c "^$2" "$1"; }
was_told() { grep -qs "^$2" "$1"; }
# webhook: starts the server.
webhook() {
	setpriv --pdeathsig KILL -- "$here/webhook" "$port" "$T/posted" >"$T/webhook" 2>&1 &
	until_true 'the webhook listens' grep -q ready "$T/webhook"
}

notices_config() {
	local port=$1
	write_config
	mkdir "$T/credentials"
	(umask 077 && printf 'canary-of-the-webhook\n' >"$T/credentials/webhook") # as systemd hands it over
	export CREDENTIALS_DIRECTORY=$T/credentials
	cat >"$T/hook" <<-END
		#!/bin/sh
		printf '%s\t%s\t%s\n' "\$EYRIE_EVENT" "\$EYRIE_REQUEST" "\$(cat)" >>$T/ran
	END
	chmod +x "$T/hook"
	sed -i -e "s|host_program:|notify_program: $build/controller/notify/eyrie-notify, host_program:|" \
		-e "s|^  juno: .*|  juno: { max: 4, submitters: [alice], notify: { url: \"http://127.0.0.1:$port/hook\", secret_file: \"credential:webhook\", command: $T/hook } }|" \
		"$T/eyrie.yaml"
}

test_a_group_is_told_of_its_requests_whatever_is_killed() {
	local port
	port=$(free_port)
	notices_config "$port"
	start || return
	eyrie request add --group juno --vms 1 --from 2099-12-01T20:00 --for 4h >/dev/null || fail "add: $?" || return
	until_true 'the command ran' was_told "$T/ran" granted || return
	until_true 'the webhook is not there, and that is said' \
		grep -q 'notify-failed r-1 granted: webhook of juno: eyrie-notify ended with status 1: .*connect' "$T/log" || return
	stop KILL
	webhook || return
	start || return
	until_true 'it is told after the kill' was_told "$T/posted" granted || return
	has "$(printf 'granted\tr-1\tBearer canary-of-the-webhook\tr-1-granted-[0-9]+\tr-1 is granted: 1 VM of small for juno, 1 Dec 2099 20:00 – ')" \
		"$(cat "$T/posted")" || return
	eyrie request cancel r-1 --why 'no beam' >/dev/null || fail "cancel: $?" || return
	until_true 'its end is told' was_told "$T/posted" ended || return
	until_true 'in both ways' was_told "$T/ran" ended || return
	has 'r-1 is cancelled by .*: no beam' "$(cat "$T/posted")" || return
	[ "$(times_told "$T/ran" granted)" = 1 ] || fail 'the command was told twice' || return
	! grep -rqs canary-of-the-webhook "$T/log" "$T/state" || fail 'the secret is in the log or ledger' || return
	has 'notified +r-1 ended: webhook of juno' "$(eyrie events)"
}

test_a_command_that_hangs_delays_nothing() {
	notices_config 9 # nobody listens there
	printf '#!/bin/sh\nexec sleep 1000\n' >"$T/hook"
	start || return
	eyrie request add --group juno --vms 1 --for 4h >/dev/null || fail "add: $?" || return
	until_true 'a VM of the request' has_one_vm
}

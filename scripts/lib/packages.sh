# shellcheck shell=bash
# What must be installed before Eyrie can be built and its lab brought up, by Debian's names.
# To be sourced after stage.sh. Asks apt only for what is missing: 50 ms when nothing is.

# shellcheck disable=SC2034 # both are for who sources this
PACKAGES_BUILD=(
	clang cppcheck curl duktape fish gcc gcovr libclang-rt-14-dev libcmocka-dev libcurl4-gnutls-dev
	libgnutls28-dev libjson-c-dev libmicrohttpd-dev libsmartcols-dev libsqlite3-dev libsystemd-dev
	libvirt-dev libxml2-dev libyaml-dev meson ninja-build openssl pkg-config python3-jsonschema
	python3-prometheus-client python3-yaml scdoc shellcheck systemd uuid-dev zlib1g-dev zsh
)
# shellcheck disable=SC2034
PACKAGES_LAB=(
	cpio debootstrap dnsmasq-base dropbear-bin e2fsprogs iproute2 libvirt-clients libvirt-daemon
	libvirt-daemon-driver-lxc libvirt-daemon-driver-qemu openssh-client qemu-system-x86 qemu-utils tini
	zstd
)

# packages_missing NAME…: prints those that are not installed.
packages_missing() {
	dpkg-query -W -f '${db:Status-Abbrev} ${Package}\n' "$@" 2>/dev/null |
		awk -v names="$*" '
			$1 == "ii" { have[$2] = 1 }
			END { n = split(names, name, " ")
			      for (i = 1; i <= n; i++) if (!(name[i] in have)) print name[i] }'
}

# packages_need NAME…: installs what is missing; needs root only for that. None of ours has a
# service of its own (libvirt's are in libvirt-daemon-system, which we do not want).
packages_need() {
	local missing
	mapfile -t missing < <(packages_missing "$@")
	[ ${#missing[@]} -gt 0 ] || return 0
	[ "$(id -u)" = 0 ] || die "not installed (run as root to install): ${missing[*]}"
	say "   installing ${missing[*]}"
	apt-get update -qq >&2 || return 1
	DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >&2
}

# shellcheck shell=bash
# Debian 13 trees for the lab's machines and for the guest image. HTCondor is not in Debian 12, so
# both take it from Debian 13. Trees are made once and kept in $EYRIE_CACHE under the digest of
# what they are made from; a tree in the cache is complete and must not be changed: copy it
# (cp -a --reflink=auto) or lay an overlay over it.
# To be sourced after stage.sh.
#
#     base=$(rootfs_base)                             # minbase, without documentation
#     tree=$(rootfs_with guest htcondor kmod)         # base and these packages
#     rootfs_enter DIR CMD…                           # CMD in DIR, as in a chroot

ROOTFS_SUITE=trixie

# Daemons must not start in a tree, nothing of ours needs documentation or translations, and a
# tree that was cut short is thrown away, so there is no need to wait for the disk.
ROOTFS_SETTINGS='
etc/dpkg/dpkg.cfg.d/eyrie
	force-unsafe-io
	path-exclude=/usr/share/doc/*
	path-exclude=/usr/share/info/*
	path-exclude=/usr/share/locale/*
	path-exclude=/usr/share/man/*
etc/apt/apt.conf.d/99eyrie
	APT::Install-Recommends "false";
	Acquire::Languages "none";
usr/sbin/policy-rc.d
	#!/bin/sh
	exit 101
'

# rootfs_digest TEXT…: the key of a recipe.
rootfs_digest() { printf '%s\n' "$@" | sha256sum | cut -c1-16; }

# rootfs_enter DIR CMD…: runs CMD in DIR with /proc and the host's name service, in mount and PID
# namespaces of its own, so that nothing stays mounted and no daemon stays behind.
rootfs_enter() {
	local dir=$1
	shift
	# shellcheck disable=SC2016 # the inner shell's own
	unshare --mount --pid --fork --kill-child -- sh -c '
		cd "$1" && shift && mount -t proc proc proc && mount --bind /dev dev &&
		if [ -f etc/resolv.conf ]; then mount --bind /etc/resolv.conf etc/resolv.conf; fi &&
		exec chroot . "$@"' rootfs "$dir" env -i HOME=/root TERM=dumb LC_ALL=C.UTF-8 \
		PATH=/usr/sbin:/usr/bin:/sbin:/bin DEBIAN_FRONTEND=noninteractive "$@"
}

# rootfs_base: prints the path of the cached tree of Debian 13's essential packages.
rootfs_base() {
	rootfs_cached "rootfs-base-$(rootfs_digest "$ROOTFS_SUITE" "$ROOTFS_SETTINGS" 2)" \
		rootfs_make_base
}

# rootfs_with NAME PACKAGE…: prints the path of the cached tree of the base and these packages.
rootfs_with() {
	local base
	base=$(rootfs_base) || return 1
	rootfs_cached "rootfs-$1-$(rootfs_digest "$base" "${@:2}" 1)" rootfs_make_with "$base" "${@:2}"
}

# rootfs_condor: prints the path of the cached tree with HTCondor that the lab's machines and containers share.
rootfs_condor() { rootfs_with condor busybox-static htcondor tini; }

# rootfs_cached NAME CMD…: prints the path of NAME in the cache, made by `CMD… DIR` if it is not
# there. Only a complete tree gets its name; of two callers one makes it and the other waits.
rootfs_cached() {
	local tree=$EYRIE_CACHE/$1 lock
	shift
	mkdir -p "$EYRIE_CACHE"
	exec {lock}>"$tree.lock"
	flock "$lock"
	if [ ! -d "$tree" ]; then
		rm -rf "$tree.part"
		# The lock is not for the children: one that lingers would keep it.
		if ! "$@" "$tree.part" {lock}>&- >"$tree.log" 2>&1; then
			tail -n 20 "$tree.log" >&2
			say "making $tree failed; all of its output: $tree.log"
			exec {lock}>&-
			return 1
		fi
		mv "$tree.part" "$tree"
	fi
	exec {lock}>&-
	echo "$tree"
}

rootfs_make_base() {
	local dir=$1
	say "debootstrap $ROOTFS_SUITE"
	# In namespaces: debootstrap mounts /proc in the tree.
	unshare --mount --pid --fork --kill-child --mount-proc -- \
		debootstrap --variant=minbase "$ROOTFS_SUITE" "$dir" || return 1
	rm -rf "$dir"/usr/share/{doc,info,locale,man}/* "$dir"/var/cache/apt/archives/*.deb \
		"$dir"/var/lib/apt/lists/*
	rootfs_settings "$dir"
}

rootfs_make_with() {
	local base=$1 dir=${*: -1}
	set -- "${@:2:$#-2}"
	cp -a --reflink=auto "$base" "$dir" &&
		rootfs_enter "$dir" apt-get -q update &&
		rootfs_enter "$dir" apt-get -q install -y "$@" &&
		rm -rf "$dir"/var/cache/apt/*.bin "$dir"/var/cache/apt/archives/*.deb \
			"$dir"/var/lib/apt/lists/*
}

# Writes ROOTFS_SETTINGS: a line at the margin names a file, the indented ones are its text.
rootfs_settings() {
	local line file
	while IFS= read -r line; do
		case $line in
		'') ;;
		$'\t'*) printf '%s\n' "${line#$'\t'}" >>"$file" ;;
		*) file=$1/$line ;;
		esac
	done <<<"$ROOTFS_SETTINGS"
	chmod 755 "$1/usr/sbin/policy-rc.d"
}

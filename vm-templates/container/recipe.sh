# shellcheck shell=bash
# The root of a container: Debian 13 with HTCondor's startd and a first process that starts it. No
# kernel, no disk: the image is the folder itself, and the containers share it.
# To be sourced by scripts/image, which calls the functions.

RECIPE_HERE=$EYRIE_SOURCE/vm-templates/container

# recipe_base: prints the path of a cached tree with the packages of the image.
recipe_base() { rootfs_condor; }

# recipe_root BASE DIR: makes DIR, a copy of BASE, the root of the containers.
recipe_root() {
	local dir=$2
	rm -f "$dir/etc/resolv.conf" "$dir/usr/sbin/policy-rc.d"
	echo '127.0.0.1 localhost' >"$dir/etc/hosts"
	cp -r "$RECIPE_HERE/root/." "$dir/"
	install -D -m 755 "$EYRIE_SOURCE/vm-templates/debian13/root/usr/lib/eyrie/dhcp" "$dir/usr/lib/eyrie/dhcp"
	rootfs_enter "$dir" install -d -o condor -g condor /var/lib/condor/execute /var/lib/condor/spool || return 1
	"$EYRIE_SOURCE/vm-templates/guest/install" "$dir"
}

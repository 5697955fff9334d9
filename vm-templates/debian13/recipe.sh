# shellcheck shell=bash
# Debian 13 with HTCondor's startd, cut down to what a job needs: from create to the slot in the
# collector a third of the time of a plain installation (README.md says what each cut gave).
# To be sourced by scripts/image, which calls the three functions.

RECIPE_HERE=$EYRIE_SOURCE/vm-templates/debian13
RECIPE_GUEST=$EYRIE_SOURCE/vm-templates/guest

# The units that are started of those that Debian's packages ask for; condor.service comes last
# and ours are added by the guest folder and root/.
RECIPE_UNITS='condor.service systemd-journald.service systemd-journald.socket
systemd-journald-dev-log.socket systemd-sysctl.service'

# Modules in the initrd, in the order they are loaded.
RECIPE_MODULES='drivers/block/virtio_blk net/core/failover drivers/net/net_failover
drivers/net/virtio_net drivers/firmware/qemu_fw_cfg drivers/char/hw_random/virtio-rng
drivers/acpi/button drivers/input/evdev'

# recipe_base: prints the path of a cached tree with the packages of the image.
recipe_base() {
	rootfs_with guest busybox-static e2fsprogs htcondor kmod linux-image-cloud-amd64 systemd-sysv
}

# recipe_kernel BASE KERNEL INITRD: what QEMU loads. The kernel is the ELF file inside Debian's: to
# unpack itself costs it 2 s under emulation, and QEMU starts either.
recipe_kernel() {
	local base=$1 zimage version offset length dir module n=10
	version=$(ls "$base/lib/modules")
	zimage=$base/boot/vmlinuz-$version
	# From Linux' Documentation/arch/x86/boot.rst: setup_sects, payload_offset, payload_length.
	# The payload's last four bytes are its unpacked size.
	offset=$((($(recipe_number "$zimage" 497 1) + 1) * 512 + $(recipe_number "$zimage" 584 4)))
	length=$(($(recipe_number "$zimage" 588 4) - 4))
	tail -c +$((offset + 1)) "$zimage" | head -c "$length" | zstd -qdc >"$2" || return 1

	dir=$3.d
	mkdir -p "$dir"/{bin,dev,modules,root}
	cp "$base/usr/bin/busybox" "$dir/bin/"
	install -m 755 "$RECIPE_HERE/init" "$dir/init"
	for module in $RECIPE_MODULES; do
		xz -dc "$base/lib/modules/$version/kernel/$module.ko.xz" \
			>"$dir/modules/$n-${module##*/}.ko" || return 1
		n=$((n + 1))
	done
	(cd "$dir" && find . | sort | cpio -o -H newc -R 0:0 --quiet) >"$3" || return 1
	rm -r "$dir"
}

# recipe_number FILE OFFSET BYTES: prints the little-endian number there.
recipe_number() { od -An -t"u$3" -j"$2" -N"$3" "$1" | tr -d ' '; }

# recipe_root BASE DIR: makes DIR, a copy of BASE, the root of the image.
recipe_root() {
	local dir=$2 unit
	rm -rf "${dir:?}"/boot/* "$dir"/{var/cache,var/lib/apt/lists,var/log}/* \
		"$dir"/etc/{hostname,resolv.conf} "$dir/usr/sbin/policy-rc.d"
	: >"$dir/etc/machine-id"
	echo '127.0.0.1 localhost' >"$dir/etc/hosts"
	cp -r "$RECIPE_HERE/root/." "$dir/"
	rootfs_enter "$dir" install -d -o condor -g condor /var/log/condor \
		/var/lib/condor/execute /var/lib/condor/spool || return 1

	# What Debian starts at boot: only RECIPE_UNITS.
	for unit in "$dir"/{usr/lib,etc}/systemd/system/*.target.wants/*; do
		case " ${RECIPE_UNITS//$'\n'/ } " in
		*" ${unit##*/} "*) ;;
		*) rm -f "$unit" ;;
		esac
	done
	mkdir -p "$dir/etc/systemd/system-generators"
	for unit in "$dir"/usr/lib/systemd/system-generators/*; do
		ln -s /dev/null "$dir/etc/systemd/system-generators/${unit##*/}"
	done
	rootfs_enter "$dir" systemctl -q mask tmp.mount run-lock.mount || return 1
	rootfs_enter "$dir" systemctl -q set-default multi-user.target || return 1

	"$RECIPE_GUEST/install" "$dir" || return 1
	rootfs_enter "$dir" systemctl -q enable eyrie-disk eyrie-network eyrie-power
}

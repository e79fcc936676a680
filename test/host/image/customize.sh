#!/bin/sh
# Runs once in the machine's own shell when the packages are installed; $1 is the folder of the new root.
set -eu

# A person without rights, for tests of polkit and of permissions.
chroot "$1" useradd --create-home --uid 1000 --shell /bin/bash alice

# They would take apt's lock in the middle of a test.
systemctl --root="$1" --quiet disable apt-daily.timer apt-daily-upgrade.timer

# Each would claim the interfaces: a test starts the one that it is about.
for unit in NetworkManager.service NetworkManager-wait-online.service networking.service keepalived.service openvswitch-switch.service systemd-networkd.service systemd-resolved.service; do
	if chroot "$1" systemctl --quiet is-enabled "$unit" 2>/dev/null; then systemctl --root="$1" --quiet disable "$unit"; fi
done

# Filled in anew at each host's first boot; "uninitialized" instead would make systemd preset, and so enable, every unit.
: >"$1/etc/machine-id"

# mmdebstrap copies these from the machine; a host gets its own name and has no network.
rm -f "$1/etc/hostname" "$1/etc/resolv.conf"

# A host with a kernel boots from one kind of disk.
if [ -d "$1/etc/initramfs-tools" ]; then
	printf '%s\n' virtio_pci virtio_blk btrfs >>"$1/etc/initramfs-tools/modules"
	echo MODULES=list >"$1/etc/initramfs-tools/conf.d/virtual"
	chroot "$1" update-initramfs -u
fi

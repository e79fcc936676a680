#!/bin/sh
# Guards file systems for a test. It runs in a mount namespace of its own, where all of it is, the disks' images in memory included:
# when standard input ends, however the test run died, nothing is left, loop devices detach themselves.
#
#   disk.sh SIZE [OPTION...]    /mnt/btrfs (OPTIONs are for its mkfs) and /mnt/ext4 on disks of that size; /mnt/read-only is the former again
set -eu
size=$1
shift
trap '' HUP INT TERM
mount -t tmpfs tmpfs /mnt
cd /mnt
truncate -s "$size" btrfs.image ext4.image
mkfs.btrfs --quiet "$@" btrfs.image >&2
mkfs.ext4 -q ext4.image >&2
mkdir btrfs ext4 read-only
mount -o loop btrfs.image btrfs
mount -o loop ext4.image ext4
mount --bind btrfs read-only
mount -o remount,bind,ro read-only
echo ready
cat >/dev/null
cd /
umount /mnt/read-only /mnt/ext4 /mnt/btrfs

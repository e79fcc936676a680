#!/bin/sh
# Guards one throw-away host. It runs in a mount namespace of its own, so nothing is ever mounted on the machine itself, and away from the terminal.
# Its standard input is a pipe from the test run: when that ends, however the run died, all processes of the host are killed, and its folder and its cgroups go.
#
#   guard.sh FOLDER LAYERS CGROUP...        LAYERS as overlayfs wants them, the first CGROUP is the unified one
set -u
trap '' HUP INT TERM
folder=$1 layers=$2
shift 2
unified=$1

processes() { find "$unified" -name cgroup.procs -exec cat {} + 2>/dev/null; }

sweep() {
	# A process of many threads is no longer listed while the last of them end.
	while grep -qs 'populated 1' "$unified/cgroup.events"; do
		echo 1 2>/dev/null >"$unified/cgroup.kill" || processes | xargs -r kill -KILL 2>/dev/null
		sleep 0.01
	done
	for cgroup; do
		if [ -d "$cgroup" ]; then find "$cgroup" -depth -type d -exec rmdir {} +; fi
	done
	umount --lazy "$folder/root"
	mountpoint -q "$folder/upper" && umount --lazy "$folder/upper"
	rm -rf --one-file-system "$folder"
}

mount_root() {
	mount -t overlay overlay -o "lowerdir=$layers,upperdir=$folder/upper/files,workdir=$folder/upper/work" "$folder/root"
}

# nspawn keeps notes below /run: not on the machine's.
mount -t tmpfs tmpfs /run || exit 1
mkdir -p "$folder/root" "$folder/upper/files" "$folder/upper/work" "$unified" || exit 1
# A temporary folder that is itself an overlay cannot hold a writable layer; memory can.
if ! mount_root 2>/dev/null; then
	mount -t tmpfs tmpfs "$folder/upper" && mkdir "$folder/upper/files" "$folder/upper/work" && mount_root || { sweep "$@"; exit 1; }
fi
echo ready
cat >/dev/null
sweep "$@"

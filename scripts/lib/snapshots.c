/* What BTRFS allows: read-only snapshots of two subvolumes in a new folder, each pair synced; prints seconds. snapshots HOME ONE OTHER COUNT */
#include <fcntl.h>
#include <linux/btrfs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static int snapshot(int folder, const char *name, int of)
{
	struct btrfs_ioctl_vol_args_v2 args = { .fd = of, .flags = BTRFS_SUBVOL_RDONLY };

	strcpy(args.name, name);
	return ioctl(folder, BTRFS_IOC_SNAP_CREATE_V2, &args);
}

int main(int argc, char **argv)
{
	int home, one, other, folder;
	struct timespec from, to;
	char name[32];

	if (argc != 5 || (home = open(argv[1], O_RDONLY)) < 0 || (one = open(argv[2], O_RDONLY)) < 0 || (other = open(argv[3], O_RDONLY)) < 0)
		return 1;
	clock_gettime(CLOCK_MONOTONIC, &from);
	for (long n = 0, count = atol(argv[4]); n < count; n++) {
		sprintf(name, "%ld", n);
		if (mkdirat(home, "new", 0755) || (folder = openat(home, "new", O_RDONLY)) < 0 || snapshot(folder, "one", one) || snapshot(folder, "other", other) ||
		    close(folder) || renameat(home, "new", home, name) || ioctl(home, BTRFS_IOC_SYNC))
			return 1;
	}
	clock_gettime(CLOCK_MONOTONIC, &to);
	printf("%f\n", to.tv_sec - from.tv_sec + (to.tv_nsec - from.tv_nsec) / 1e9);
	return 0;
}

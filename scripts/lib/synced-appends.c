/* What the disk allows: appends of a size to a new file, each synced; prints how long they took in seconds. synced-appends FILE COUNT BYTES */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	int file = argc == 4 ? open(argv[1], O_WRONLY | O_CREAT | O_EXCL | O_APPEND, 0644) : -1;
	long count = argc == 4 ? atol(argv[2]) : 0, size = argc == 4 ? atol(argv[3]) : 0;
	char *bytes = malloc(size);
	struct timespec from, to;

	if (file < 0 || bytes == NULL)
		return 1;
	memset(bytes, 'x', size);
	clock_gettime(CLOCK_MONOTONIC, &from);
	for (long n = 0; n < count; n++)
		if (write(file, bytes, size) != size || fdatasync(file) != 0)
			return 1;
	clock_gettime(CLOCK_MONOTONIC, &to);
	printf("%f\n", to.tv_sec - from.tv_sec + (to.tv_nsec - from.tv_nsec) / 1e9);
	return 0;
}

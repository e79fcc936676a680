#include <sys/xattr.h>
#include "op-dbus.h"

/* The value's length in bytes; -ERANGE when it does not fit. */
int opd_attribute_get(int fd, const char *name, void *value, uint64_t size)
{
	return opd_result(fgetxattr(fd, name, value, size));
}

int opd_attribute_set(int fd, const char *name, const void *value, uint64_t size)
{
	return opd_result(fsetxattr(fd, name, value, size, 0));
}

int opd_attribute_remove(int fd, const char *name)
{
	return opd_result(fremovexattr(fd, name));
}

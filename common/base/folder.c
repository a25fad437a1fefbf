#include "common/base/folder.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

int folder_sync(const char *path)
{
	const int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	const int failed = fd >= 0 && fsync(fd) == 0 ? 0 : errno;

	if (fd >= 0)
		(void)close(fd);
	return failed;
}

#define LOG_TAG "fatal"

#include "daemon/fatal.h"

#include <unistd.h>

#include "common/base/log.h"

/*
 * fsync must not be tried again on the same pages, nor a page that could not be read be taken
 * for what is on the disk: no rollback, no close, no exit handlers. What was not committed was not
 * acknowledged.
 */
NORETURN static void die(enum err e, const char *doing)
{
	log_err("doing=\"%s\" error=%s detail=\"%s\"", doing, err_name(e), log_last_detail());
	_exit(FATAL_EXIT);
}

enum err fatal_or(enum err e, const char *doing)
{
	if (err_class(e) == ERR_CLASS_FATAL)
		die(e, doing);
	return e;
}

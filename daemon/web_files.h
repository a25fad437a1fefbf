/*
 * web_files - the pages of the console, read once into memory.
 *
 * A path asked for is looked up among the paths that were found at start: nothing a peer sends
 * ever becomes a path of the file system. WEB/console/x.html is "x.html" here, WEB/shared/x.css is
 * "shared/x.css". Libraries for browsers that the system has installed are a fixed list of names
 * under "lib/" (docs/decisions/0010). Immutable once loaded.
 */
#pragma once

#include <stdbool.h>

#include "common/base/attr.h"
#include "common/base/bytes.h"
#include "common/base/err.h"

#define WEB_FILES_MAX      512u
#define WEB_FILES_BYTES    ((size_t)32 << 20) /* of all together */
#define WEB_FILES_PATH_MAX 200u
#define WEB_LIBRARIES      "/usr/share/javascript" /* where Debian's libjs-* packages are */
#define WEB_FILE_TAG_LEN   35u                     /* a quoted hash, and a NUL */

struct web_file {
	char path[WEB_FILES_PATH_MAX];
	const char *type; /* lives for ever */
	struct bytes content;
	char tag[WEB_FILE_TAG_LEN]; /* for ETag */
};

struct web_files;

/*
 * ERR_NOTFOUND: no folder WEB/console. ERR_TOOBIG: more than the limits above. Files of kinds
 * browsers are not to get, and names beginning with a dot, are left out; links are followed, as
 * packages make them. `libraries`: where the libraries are; those that are not there, or all of
 * them when it is NULL, are left out and counted: pages do without.
 */
enum err web_files_load(const char *folder, const char *libraries, struct web_files **ret_files);
void web_files_free(struct web_files *w);
DEFINE_AUTO(struct web_files *, web_files_free)

/*
 * "" and "x/" are their index.html, "x" is x.html when there is no x. NULL: no such file.
 */
const struct web_file *web_files_find(const struct web_files *w, const char *path);
size_t web_files_count(const struct web_files *w);
/* Libraries that were not there. */
size_t web_files_lacking(const struct web_files *w);

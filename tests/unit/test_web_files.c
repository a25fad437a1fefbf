/* The console's pages in memory: what is found, as what, and what is not. */
#include "tests/unit/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/crypt.h"
#include "daemon/web_files.h"

struct folder {
	char path[64];
	struct web_files *files;
};

static const char *const made[] = {
	"console",
	"console/sub",
	"shared",
	"libraries",
	"libraries/bootstrap5",
	"libraries/bootstrap5/css",
	"console/index.html",
	"console/app.js",
	"console/.env",
	"console/sub/index.html",
	"console/log.html",
	"console/secret.key",
	"shared/a.css",
	"outside.html",
	"libraries/bootstrap5/css/bootstrap.min.css",
	"libraries/other.js",
};
#define FOLDERS 6u

static void path_of(const struct folder *f, const char *name, char ret_path[256])
{
	snprintf(ret_path, 256, "%s/%s", f->path, name);
}

static void put(const struct folder *f, const char *name, const char *content)
{
	char path[256];
	FILE *file;

	path_of(f, name, path);
	file = fopen(path, "wb");
	assert_non_null(file);
	assert_true(fputs(content, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static int setup(void **state)
{
	struct folder *f = calloc(1, sizeof *f);
	char path[256];

	snprintf(f->path, sizeof f->path, "/tmp/test_web_XXXXXX");
	if (mkdtemp(f->path) == NULL)
		return -1;
	for (size_t i = 0; i < sizeof made / sizeof made[0]; i++) {
		path_of(f, made[i], path);
		if (i < FOLDERS)
			mkdir(path, 0700);
		else
			put(f, made[i], made[i]);
	}
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct folder *f = *state;
	char path[256];

	if (f->files != NULL)
		web_files_free(f->files);
	for (size_t i = sizeof made / sizeof made[0]; i-- > 0;) {
		path_of(f, made[i], path);
		(void)remove(path);
	}
	path_of(f, "console/link.svg", path);
	(void)unlink(path);
	path_of(f, "console", path);
	(void)rmdir(path);
	rmdir(f->path);
	free(f);
	return 0;
}

static void assert_is(const struct folder *f, const char *path, const char *content,
		      const char *type)
{
	const struct web_file *found = web_files_find(f->files, path);

	assert_non_null(found);
	assert_true(bytes_is(found->content, content));
	assert_string_equal(found->type, type);
	assert_int_equal(strlen(found->tag), WEB_FILE_TAG_LEN - 1);
	assert_int_equal(found->tag[0], '"');
	assert_int_equal(found->tag[WEB_FILE_TAG_LEN - 2], '"');
}

static void files_are_found_with_their_types(void **state)
{
	struct folder *f = *state;

	assert_ok(web_files_load(f->path, NULL, &f->files));
	assert_is(f, "app.js", "console/app.js", "text/javascript; charset=utf-8");
	assert_is(f, "shared/a.css", "shared/a.css", "text/css; charset=utf-8");
	assert_is(f, "", "console/index.html", "text/html; charset=utf-8");
	assert_is(f, "index.html", "console/index.html", "text/html; charset=utf-8");
	assert_is(f, "sub/", "console/sub/index.html", "text/html; charset=utf-8");
	assert_is(f, "log", "console/log.html", "text/html; charset=utf-8");
	assert_int_equal(web_files_count(f->files), 5);
}

static void what_was_not_found_at_start_is_not_there(void **state)
{
	static const char *const wanted[] = {
		"../outside.html",
		"shared/../../outside.html",
		"/etc/passwd",
		"..",
		"sub/../app.js",
		"./app.js",
		"app.js/",
		"APP.JS",
		".env",
		"secret.key",
		"console/app.js",
		"sub",
		"app.js\n",
	};
	struct folder *f = *state;
	char longest[1000];

	assert_ok(web_files_load(f->path, NULL, &f->files));
	put(f, "console/log.html", "changed");
	for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++) {
		if (web_files_find(f->files, wanted[i]) != NULL)
			print_error("found: %s\n", wanted[i]);
		assert_null(web_files_find(f->files, wanted[i]));
	}
	memset(longest, 'a', sizeof longest);
	longest[sizeof longest - 1] = '\0';
	assert_null(web_files_find(f->files, longest));
	/* Read once. */
	assert_is(f, "log", "console/log.html", "text/html; charset=utf-8");
}

static void tags_follow_the_content(void **state)
{
	struct folder *f = *state;
	struct web_files *later = NULL;

	assert_ok(web_files_load(f->path, NULL, &f->files));
	put(f, "console/log.html", "changed");
	assert_ok(web_files_load(f->path, NULL, &later));
	assert_string_equal(web_files_find(later, "app.js")->tag,
			    web_files_find(f->files, "app.js")->tag);
	assert_string_not_equal(web_files_find(later, "log")->tag,
				web_files_find(f->files, "log")->tag);
	web_files_free(later);
}

static void links_of_packages_are_followed(void **state)
{
	struct folder *f = *state;
	char link[256];
	char to[256];

	put(f, "outside.html", "<svg/>");
	path_of(f, "outside.html", to);
	path_of(f, "console/link.svg", link);
	assert_int_equal(symlink(to, link), 0);
	assert_ok(web_files_load(f->path, NULL, &f->files));
	assert_is(f, "link.svg", "<svg/>", "image/svg+xml");
}

static void libraries_are_served_by_their_own_names(void **state)
{
	struct folder *f = *state;
	struct web_files *without = NULL;
	char libraries[256];

	path_of(f, "libraries", libraries);
	assert_ok(web_files_load(f->path, libraries, &f->files));
	assert_is(f, "lib/bootstrap.min.css", "libraries/bootstrap5/css/bootstrap.min.css",
		  "text/css; charset=utf-8");
	/* Nothing else of that folder, by any name; what is not installed is counted. */
	assert_null(web_files_find(f->files, "lib/other.js"));
	assert_null(web_files_find(f->files, "bootstrap5/css/bootstrap.min.css"));
	assert_int_equal(web_files_count(f->files), 6);
	assert_int_equal(web_files_lacking(f->files), 2);
	assert_ok(web_files_load(f->path, NULL, &without));
	assert_int_equal(web_files_count(without), 5);
	assert_int_equal(web_files_lacking(without), 3);
	web_files_free(without);
	assert_ok(web_files_load(f->path, "/tmp/nothing-is-here", &without));
	assert_int_equal(web_files_lacking(without), 3);
	web_files_free(without);
}

static void a_folder_without_pages_is_told(void **state)
{
	struct folder *f = *state;

	assert_err(web_files_load("/tmp/nothing-is-here", NULL, &f->files), ERR_NOTFOUND);
	assert_null(f->files);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		T(files_are_found_with_their_types),
		T(what_was_not_found_at_start_is_not_there),
		T(tags_follow_the_content),
		T(links_of_packages_are_followed),
		T(libraries_are_served_by_their_own_names),
		T(a_folder_without_pages_is_told),
#undef T
	};

	if (crypt_init() != ERR_OK)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}

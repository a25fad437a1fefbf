/* From texts to a schema: collecting definitions, the bundle, files of a folder. */
#define LOG_TAG "schema"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/base/crypt.h"
#include "common/base/mem.h"
#include "common/model/schema_reader.h"

static const char *const section_names[SECTION_COUNT] = {"types", "lists", "queries", "indicators"};

static enum err add_part(struct schema_reader *r, enum schema_section section,
			 const struct yaml_tree *node, bool is_extension)
{
	struct schema_definition *d = schema_find_definition(r, section, node->key);
	struct schema_definitions *all = &r->sections[section];
	struct schema_part *part = arena_alloc(&r->scratch, sizeof *part);

	*part = (struct schema_part){.node = node, .file = r->file};
	if (d == NULL) {
		if (all->count == all->cap) {
			all->cap = all->cap != 0 ? all->cap * 2 : 64;
			all->items = mem_realloc(all->items, all->cap * sizeof *all->items);
		}
		d = &all->items[all->count++];
		*d = (struct schema_definition){.name = node->key};
	}
	if (is_extension) {
		if (d->last_extension != NULL)
			d->last_extension->next = part;
		else
			d->extensions = part;
		d->last_extension = part;
		return ERR_OK;
	}
	if (d->parts != NULL)
		return schema_fail(r, node->line, "is there twice (also %s:%zu)", d->parts->file,
				   d->parts->node->line);
	d->parts = part;
	return ERR_OK;
}

/* `extend: true` makes a type or list more of one that another file defines. */
static enum err read_extend(struct schema_reader *r, enum schema_section section,
			    const struct yaml_tree *node, bool *ret_is_extension)
{
	const struct yaml_tree *extend;

	if (node->kind != YAML_MAP || (section != SECTION_TYPES && section != SECTION_LISTS))
		return ERR_OK;
	extend = yaml_find(node, "extend");
	if (extend == NULL)
		return ERR_OK;
	if (extend->kind != YAML_TEXT || !bytes_is(extend->text, "true"))
		return schema_fail(r, extend->line, "extend: must be true or left out");
	*ret_is_extension = true;
	return ERR_OK;
}

static enum err collect_section(struct schema_reader *r, enum schema_section section,
				const struct yaml_tree *map)
{
	enum err e = ERR_OK;

	r->owner = map->key;
	if (map->kind != YAML_MAP)
		return schema_fail(r, map->line, "must be a map of names and values");
	for (const struct yaml_tree *n = map->first; n != NULL && e == ERR_OK; n = n->next) {
		bool is_extension = false;

		r->owner = n->key;
		if (section != SECTION_INDICATORS && !schema_is_identifier(n->key))
			return schema_fail(r, n->line,
					   "a name is a-z, then up to %u of a-z, 0-9 and _",
					   SCHEMA_NAME_LEN - 1);
		e = read_extend(r, section, n, &is_extension);
		if (e == ERR_OK)
			e = add_part(r, section, n, is_extension);
	}
	return e;
}

void schema_enter_file(struct schema_reader *r, const char *name)
{
	r->file = name;
	r->owner = BYTES_NONE;
	r->part = BYTES_NONE;
}

enum err schema_collect_tree(struct schema_reader *r, const struct yaml_tree *tree)
{
	enum err e = ERR_OK;

	if (tree->kind != YAML_MAP)
		return schema_fail(r, tree->line, "must be a map of names and values");
	for (const struct yaml_tree *n = tree->first; n != NULL && e == ERR_OK; n = n->next) {
		size_t i = 0;

		while (i < SECTION_COUNT && !bytes_is(n->key, section_names[i]))
			i++;
		r->owner = BYTES_NONE;
		if (i == SECTION_COUNT)
			return schema_fail(r, n->line, "unknown key \"%.*s\"", BYTES_FMT(n->key));
		e = collect_section(r, (enum schema_section)i, n);
	}
	return e;
}

static enum err read_tree(struct schema_reader *r, const struct schema_source *source,
			  struct yaml_tree **ret_tree)
{
	struct yaml_problem problem = {0};

	schema_enter_file(r, source->name);
	if (source->text.len > SCHEMA_FILE_BYTES)
		return schema_fail(r, 1, "longer than %zu bytes", SCHEMA_FILE_BYTES);
	if (yaml_read(&r->scratch, source->text, ret_tree, &problem) != ERR_OK)
		return schema_fail(r, problem.line, "%.*s", BYTES_FMT(problem.text));
	return ERR_OK;
}

static enum err collect_file(struct schema_reader *r, const struct schema_source *source)
{
	struct yaml_tree *tree = NULL;
	enum err e = read_tree(r, source, &tree);

	return e == ERR_OK && tree != NULL ? schema_collect_tree(r, tree) : e;
}

static enum err check_extensions(struct schema_reader *r, enum schema_section section)
{
	const struct schema_definitions *d = &r->sections[section];

	for (size_t i = 0; i < d->count; i++) {
		if (d->items[i].parts != NULL)
			continue;
		r->file = d->items[i].extensions->file;
		r->owner = d->items[i].name;
		r->part = BYTES_NONE;
		return schema_fail(r, d->items[i].extensions->node->line,
				   "extends what no file defines");
	}
	return ERR_OK;
}

static int compare_definitions(const void *a, const void *b)
{
	const struct schema_definition *x = a;
	const struct schema_definition *y = b;

	return bytes_compare(x->name, y->name);
}

static void sort_definitions(struct schema_definitions *d)
{
	if (d->count != 0)
		qsort(d->items, d->count, sizeof d->items[0], compare_definitions);
}

enum err schema_build(struct schema_reader *r, const char *first_file)
{
	enum err e = ERR_OK;

	if ((e = check_extensions(r, SECTION_TYPES)) != ERR_OK ||
	    (e = check_extensions(r, SECTION_LISTS)) != ERR_OK)
		return e;
	sort_definitions(&r->sections[SECTION_TYPES]);
	sort_definitions(&r->sections[SECTION_LISTS]);
	if ((e = schema_build_lists(r)) != ERR_OK || (e = schema_build_types(r)) != ERR_OK ||
	    (e = schema_build_indicators(r)) != ERR_OK)
		return e;
	if (r->schema->type_count == 0) {
		schema_enter_file(r, first_file);
		return schema_fail(r, 1, "no file names a record type");
	}
	return ERR_OK;
}

static enum err collect_and_build(struct schema_reader *r, const struct schema_source *sources,
				  size_t count)
{
	enum err e = ERR_OK;

	for (size_t i = 0; i < count && e == ERR_OK; i++)
		e = collect_file(r, &sources[i]);
	return e == ERR_OK ? schema_build(r, count != 0 ? sources[0].name : "schema") : e;
}

static int compare_sources(const void *a, const void *b)
{
	const struct schema_source *x = a;
	const struct schema_source *y = b;

	return strcmp(x->name, y->name);
}

static bool is_file_name(const char *name)
{
	size_t len = strlen(name);

	if (len == 0 || len > SCHEMA_NAME_LEN || name[0] == '.')
		return false;
	for (size_t i = 0; i < len; i++) {
		char c = name[i];

		if (!(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') && !(c >= '0' && c <= '9') &&
		    c != '.' && c != '_' && c != '-')
			return false;
	}
	return true;
}

static enum err check_sources(const struct schema_source *sources, size_t count, char *error)
{
	size_t total = 0;

	if (count > SCHEMA_FILES) {
		(void)snprintf(error, SCHEMA_ERROR_LEN, "schema: more than %u files", SCHEMA_FILES);
		return err_raise(ERR_INVAL, "%s", error);
	}
	for (size_t i = 0; i < count; i++) {
		total += sources[i].text.len;
		if (!is_file_name(sources[i].name) ||
		    (i != 0 && strcmp(sources[i - 1].name, sources[i].name) == 0)) {
			(void)snprintf(error, SCHEMA_ERROR_LEN,
				       "%.100s:1: not a file name, or there twice",
				       sources[i].name);
			return err_raise(ERR_INVAL, "%s", error);
		}
	}
	if (total > SCHEMA_BUNDLE_BYTES) {
		(void)snprintf(error, SCHEMA_ERROR_LEN, "schema: longer than %zu bytes in all",
			       SCHEMA_BUNDLE_BYTES);
		return err_raise(ERR_INVAL, "%s", error);
	}
	return ERR_OK;
}

/* "file NAME LENGTH\n" then the bytes then "\n", file by file in the order of names. */
static void make_bundle(struct schema *s, const struct schema_source *sources, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		buf_printf(&s->source, "file %s %zu\n", sources[i].name, sources[i].text.len);
		buf_append_bytes(&s->source, sources[i].text);
		buf_append_byte(&s->source, '\n');
	}
	schema_set_version(s);
}

void schema_set_version(struct schema *s)
{
	const struct hash h = hash_of(buf_bytes(&s->source));

	memcpy(s->version, h.bytes, sizeof s->version);
}

void schema_reader_init(struct schema_reader *r, struct schema *s, char *error)
{
	s->memory = mem_alloc_zero(sizeof *s->memory);
	*r = (struct schema_reader){.schema = s, .memory = s->memory, .error = error};
}

void schema_reader_clear(struct schema_reader *r)
{
	for (size_t i = 0; i < SECTION_COUNT; i++)
		mem_free(r->sections[i].items);
	arena_clear(&r->scratch);
}

enum err schema_load(const struct schema_source *sources, size_t count, struct schema **ret_schema,
		     char ret_error[SCHEMA_ERROR_LEN])
{
	AUTO(schema_free) struct schema *s = mem_alloc_zero(sizeof *s);
	AUTO(mem_free)
	struct schema_source *sorted = mem_alloc_array(count != 0 ? count : 1, sizeof *sorted);
	AUTO(schema_reader_clear) struct schema_reader r = {0};
	enum err e;

	schema_reader_init(&r, s, ret_error);
	if (count != 0) {
		memcpy(sorted, sources, count * sizeof *sorted);
		qsort(sorted, count, sizeof *sorted, compare_sources);
	}
	e = check_sources(sorted, count, ret_error);
	if (e == ERR_OK)
		e = collect_and_build(&r, sorted, count);
	if (e != ERR_OK)
		return e;
	make_bundle(s, sorted, count);
	*ret_schema = MOVE(s);
	return ERR_OK;
}

/* ---- folder ---- */

struct folder {
	struct schema_source sources[SCHEMA_FILES + 1];
	size_t count;
	struct arena memory;
};

static enum err read_file(struct folder *f, const char *path, const char *name, char *error)
{
	AUTO(buf_clear) struct buf text = {0};
	FILE *file = fopen(path, "rbe");
	size_t len = 0;

	if (file == NULL) {
		(void)snprintf(error, SCHEMA_ERROR_LEN, "%.200s: %s", path, strerror(errno));
		return err_raise(ERR_IO, "%s", error);
	}
	/* One chunk over the limit is enough for schema_load() to refuse it by name. */
	do {
		len = fread(buf_reserve(&text, 65536), 1, 65536, file);
		text.len += len;
	} while (len != 0 && text.len <= SCHEMA_FILE_BYTES);

	bool is_bad = ferror(file) != 0;

	(void)fclose(file);
	if (is_bad) {
		(void)snprintf(error, SCHEMA_ERROR_LEN, "%.200s: cannot be read", path);
		return err_raise(ERR_IO, "%s", error);
	}
	f->sources[f->count++] = (struct schema_source){
		.name = arena_strdup(&f->memory, bytes_str(name)),
		.text = arena_copy(&f->memory, buf_bytes(&text)),
	};
	return ERR_OK;
}

static bool is_yaml(const char *name)
{
	size_t len = strlen(name);

	return name[0] != '.' && len > strlen(".yaml") &&
	       strcmp(name + len - strlen(".yaml"), ".yaml") == 0;
}

static enum err read_folder(struct folder *f, const char *path, char *error)
{
	DIR *dir = opendir(path);
	enum err e = ERR_OK;

	if (dir == NULL) {
		(void)snprintf(error, SCHEMA_ERROR_LEN, "%.200s: %s", path, strerror(errno));
		return err_raise(ERR_NOTFOUND, "%s", error);
	}
	for (struct dirent *d = readdir(dir); d != NULL && e == ERR_OK && f->count <= SCHEMA_FILES;
	     d = readdir(dir)) {
		AUTO(buf_clear) struct buf full = {0};

		if (!is_yaml(d->d_name))
			continue;
		buf_printf(&full, "%s/%s", path, d->d_name);
		e = read_file(f, buf_cstr(&full), d->d_name, error);
	}
	(void)closedir(dir);
	if (e == ERR_OK && f->count == 0) {
		(void)snprintf(error, SCHEMA_ERROR_LEN, "%.200s: no *.yaml file in it", path);
		return err_raise(ERR_NOTFOUND, "%s", error);
	}
	return e;
}

enum err schema_load_folder(const char *path, struct schema **ret_schema,
			    char ret_error[SCHEMA_ERROR_LEN])
{
	AUTO(mem_free) struct folder *f = mem_alloc_zero(sizeof *f);
	enum err e = read_folder(f, path, ret_error);

	if (e == ERR_OK)
		e = schema_load(f->sources, f->count, ret_schema, ret_error);
	arena_clear(&f->memory);
	return e;
}

/* ---- bundle ---- */

bool schema_bundle_next(struct bytes *rest, struct arena *a, struct schema_source *ret_source)
{
	const uint8_t *end = rest->len != 0 ? memchr(rest->data, '\n', rest->len) : NULL;
	size_t len = 0;

	if (end == NULL || rest->len < 5 || memcmp(rest->data, "file ", 5) != 0)
		return false;

	const uint8_t *name = rest->data + 5;
	const uint8_t *blank = memchr(name, ' ', (size_t)(end - name));

	if (blank == NULL || blank + 1 == end || end - blank > 9)
		return false;
	for (const uint8_t *p = blank + 1; p < end; p++) {
		if (*p < '0' || *p > '9')
			return false;
		len = len * 10 + (size_t)(*p - '0');
	}

	size_t left = rest->len - (size_t)(end + 1 - rest->data);

	if (len >= left || end[1 + len] != '\n')
		return false;
	*ret_source = (struct schema_source){
		.name = arena_strdup(a, bytes_of(name, (size_t)(blank - name))),
		.text = bytes_of(end + 1, len),
	};
	*rest = bytes_of(end + 1 + len + 1, left - len - 1);
	return true;
}

enum err schema_load_bundle(struct bytes bundle, struct schema **ret_schema,
			    char ret_error[SCHEMA_ERROR_LEN])
{
	AUTO(mem_free) struct folder *f = mem_alloc_zero(sizeof *f);
	struct bytes rest = bundle;
	enum err e;

	while (rest.len != 0 && f->count <= SCHEMA_FILES &&
	       schema_bundle_next(&rest, &f->memory, &f->sources[f->count]))
		f->count++;
	if (rest.len != 0 && f->count <= SCHEMA_FILES) {
		(void)snprintf(ret_error, SCHEMA_ERROR_LEN, "bundle:%zu: is damaged", f->count + 1);
		e = err_raise(ERR_INVAL, "%s", ret_error);
	} else {
		e = schema_load(f->sources, f->count, ret_schema, ret_error);
	}
	arena_clear(&f->memory);
	return e;
}

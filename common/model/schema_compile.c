/*
 * The compiled bundle of schema.h: the trees of its files as bytes.
 *
 * Layout: magic | BLAKE2b-256 of the bundle 32 | number of files 1 |
 *         per file: name len 1, name, tree (schema_tree.c)
 */
#define LOG_TAG "schema"

#include "common/base/crypt.h"
#include "common/base/mem.h"
#include "common/model/schema_reader.h"

/* The number grows when trees or what is read of them change. */
#define MAGIC BYTES_LIT("ctxh schema 1\n")

static bool is_kept(const struct yaml_tree *section)
{
	return !bytes_is(section->key, "indicators") && !bytes_is(section->key, "queries");
}

/* A map with the sections that are kept. */
static struct yaml_tree *prune(struct arena *a, const struct yaml_tree *tree)
{
	struct yaml_tree *root = arena_alloc(a, sizeof *root);

	*root = (struct yaml_tree){.kind = YAML_MAP, .line = tree->line};
	for (const struct yaml_tree *n = tree->first; n != NULL; n = n->next) {
		if (!is_kept(n))
			continue;
		struct yaml_tree *copy = arena_alloc(a, sizeof *copy);

		*copy = *n;
		copy->next = NULL;
		if (root->last != NULL)
			root->last->next = copy;
		else
			root->first = copy;
		root->last = copy;
		root->count++;
	}
	return root;
}

static enum err compile_file(const struct schema_source *source, struct buf *out, size_t *files)
{
	AUTO(arena_clear) struct arena a = {0};
	struct yaml_problem problem = {0};
	struct yaml_tree *tree = NULL;
	enum err e = yaml_read(&a, source->text, &tree, &problem);

	if (e != ERR_OK)
		return e;
	if (tree == NULL)
		return ERR_OK;
	(*files)++;
	buf_append_byte(out, (uint8_t)strlen(source->name));
	buf_append_str(out, source->name);
	yaml_tree_pack(prune(&a, tree), out);
	return ERR_OK;
}

enum err schema_compile(struct bytes bundle, struct buf *out)
{
	AUTO(schema_free) struct schema *whole = NULL;
	AUTO(arena_clear) struct arena a = {0};
	AUTO(buf_clear) struct buf trees = {0};
	const struct hash hash = hash_of(bundle);
	char error[SCHEMA_ERROR_LEN];
	struct schema_source source;
	size_t files = 0;
	/* So every name is short, every tree a map, and the files stand in order. */
	enum err e = schema_load_bundle(bundle, &whole, error);

	if (e == ERR_OK && !bytes_equal(buf_bytes(&whole->source), bundle))
		e = err_raise(ERR_INVAL, "the files of the bundle stand in no order");
	if (e != ERR_OK)
		return e;
	while (e == ERR_OK && schema_bundle_next(&bundle, &a, &source))
		e = compile_file(&source, &trees, &files);
	if (e != ERR_OK)
		return e;
	buf_append_bytes(out, MAGIC);
	buf_append(out, hash.bytes, HASH_LEN);
	buf_append_byte(out, (uint8_t)files);
	buf_append_bytes(out, buf_bytes(&trees));
	return ERR_OK;
}

static bool take(struct bytes *rest, size_t len, struct bytes *ret)
{
	if (rest->len < len)
		return false;
	*ret = bytes_of(rest->data, len);
	*rest = bytes_of(rest->data + len, rest->len - len);
	return true;
}

static enum err collect_next(struct schema_reader *r, struct bytes *rest)
{
	struct yaml_tree *tree = NULL;
	struct bytes len;
	struct bytes name;

	if (!take(rest, 1, &len) || !take(rest, len.data[0], &name) ||
	    !yaml_tree_unpack(&r->scratch, rest, &tree))
		return err_raise(ERR_INVAL, "a compiled schema is damaged");
	schema_enter_file(r, arena_strdup(&r->scratch, name));
	return schema_collect_tree(r, tree);
}

enum err schema_load_compiled(struct bytes compiled, struct bytes bundle,
			      struct schema **ret_schema)
{
	AUTO(schema_free) struct schema *s = NULL;
	AUTO(schema_reader_clear) struct schema_reader r = {0};
	const struct hash hash = hash_of(bundle);
	char error[SCHEMA_ERROR_LEN];
	struct bytes magic;
	struct bytes of;
	struct bytes files;
	enum err e = ERR_OK;

	if (!take(&compiled, MAGIC.len, &magic) || !bytes_equal(magic, MAGIC) ||
	    !take(&compiled, HASH_LEN, &of) || !bytes_equal(of, bytes_of(hash.bytes, HASH_LEN)))
		return err_raise(ERR_NOTFOUND, "compiled of another schema");
	if (!take(&compiled, 1, &files))
		return err_raise(ERR_INVAL, "a compiled schema is damaged");
	s = mem_alloc_zero(sizeof *s);
	schema_reader_init(&r, s, error);
	for (size_t i = 0; i < files.data[0] && e == ERR_OK; i++)
		e = collect_next(&r, &compiled);
	if (e == ERR_OK && compiled.len != 0)
		e = err_raise(ERR_INVAL, "a compiled schema is damaged");
	if (e == ERR_OK)
		e = schema_build(&r, "schema");
	if (e != ERR_OK)
		return e;
	buf_append_bytes(&s->source, bundle);
	schema_set_version(s);
	*ret_schema = MOVE(s);
	return ERR_OK;
}

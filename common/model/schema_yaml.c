#include "common/model/schema_yaml.h"

#include <yaml.h>

#include "common/model/vntext.h"

struct build {
	struct arena *arena;
	struct yaml_tree *stack[SCHEMA_YAML_DEPTH]; /* open lists and maps, outermost first */
	size_t depth;
	struct yaml_tree *root;
	size_t nodes;
	struct bytes key; /* of the value to come, when the open map has one */
	size_t key_line;
	struct yaml_problem *problem;
};

static enum err fail(struct build *b, size_t line, const char *what)
{
	*b->problem =
		(struct yaml_problem){.line = line, .text = arena_printf(b->arena, "%s", what)};
	return ERR_INVAL;
}

static struct yaml_tree *open_map(const struct build *b)
{
	struct yaml_tree *open = b->depth != 0 ? b->stack[b->depth - 1] : NULL;

	return open != NULL && open->kind == YAML_MAP ? open : NULL;
}

static enum err add_node(struct build *b, enum yaml_kind kind, size_t line,
			 struct yaml_tree **ret_node)
{
	struct yaml_tree *parent = b->depth != 0 ? b->stack[b->depth - 1] : NULL;
	struct yaml_tree *node;

	if (++b->nodes > SCHEMA_YAML_NODES ||
	    (parent != NULL && parent->count == SCHEMA_YAML_CHILDREN))
		return fail(b, line, "too much in one file");
	node = arena_alloc(b->arena, sizeof *node);
	node->kind = kind;
	node->line = line;
	if (parent == NULL) {
		b->root = node;
		*ret_node = node;
		return ERR_OK;
	}
	if (parent->kind == YAML_MAP) {
		if (!parent->is_key_taken)
			return fail(b, line, "a key must be plain text");
		node->key = b->key;
		node->line = b->key_line;
		parent->is_key_taken = false;
	}
	if (parent->last != NULL)
		parent->last->next = node;
	else
		parent->first = node;
	parent->last = node;
	parent->count++;
	*ret_node = node;
	return ERR_OK;
}

static enum err take_key(struct build *b, struct yaml_tree *map, struct bytes text, size_t line)
{
	for (const struct yaml_tree *e = map->first; e != NULL; e = e->next) {
		if (!bytes_equal(e->key, text))
			continue;
		*b->problem = (struct yaml_problem){
			.line = line,
			.text = arena_printf(b->arena, "\"%.*s\" is there twice (also line %zu)",
					     BYTES_FMT(text), e->line)};
		return ERR_INVAL;
	}
	b->key = text;
	b->key_line = line;
	map->is_key_taken = true;
	return ERR_OK;
}

static enum err take_text(struct build *b, const yaml_event_t *event, size_t line)
{
	struct bytes text =
		arena_copy(b->arena, bytes_of(event->data.scalar.value, event->data.scalar.length));
	struct yaml_tree *map = open_map(b);
	struct yaml_tree *node;
	enum err e;

	if (event->data.scalar.anchor != NULL || event->data.scalar.tag != NULL)
		return fail(b, line, "anchors and tags are not allowed");
	/* Escapes can make what the text of the file is not. */
	if (!vntext_is_nfc(text))
		return fail(b, line, "text is not in Unicode form NFC");
	if (map != NULL && !map->is_key_taken)
		return take_key(b, map, text, line);
	e = add_node(b, YAML_TEXT, line, &node);
	if (e == ERR_OK)
		node->text = text;
	return e;
}

static enum err open_node(struct build *b, enum yaml_kind kind, bool is_marked, size_t line)
{
	struct yaml_tree *node;
	enum err e;

	if (is_marked)
		return fail(b, line, "anchors and tags are not allowed");
	if (b->depth == SCHEMA_YAML_DEPTH)
		return fail(b, line, "nested too deep");
	e = add_node(b, kind, line, &node);
	if (e == ERR_OK)
		b->stack[b->depth++] = node;
	return e;
}

static enum err take_event(struct build *b, const yaml_event_t *event)
{
	size_t line = event->start_mark.line + 1;

	switch (event->type) {
	case YAML_SCALAR_EVENT: return take_text(b, event, line);
	case YAML_SEQUENCE_START_EVENT:
		return open_node(b, YAML_LIST,
				 event->data.sequence_start.anchor != NULL ||
					 event->data.sequence_start.tag != NULL,
				 line);
	case YAML_MAPPING_START_EVENT:
		return open_node(b, YAML_MAP,
				 event->data.mapping_start.anchor != NULL ||
					 event->data.mapping_start.tag != NULL,
				 line);
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT: b->depth--; return ERR_OK;
	case YAML_ALIAS_EVENT: return fail(b, line, "anchors and tags are not allowed");
	case YAML_DOCUMENT_START_EVENT:
		return b->root == NULL ? ERR_OK : fail(b, line, "only one document in a file");
	case YAML_NO_EVENT:
	case YAML_STREAM_START_EVENT:
	case YAML_STREAM_END_EVENT:
	case YAML_DOCUMENT_END_EVENT: return ERR_OK;
	}
	return ERR_OK;
}

/* Line by line, because libyaml tells no line for bytes that are not UTF-8. */
static enum err check_lines(struct build *b, struct bytes text)
{
	size_t line = 1;

	for (size_t at = 0; at < text.len; line++) {
		const uint8_t *end = memchr(text.data + at, '\n', text.len - at);
		size_t len = end != NULL ? (size_t)(end - text.data) - at : text.len - at;
		struct bytes one = {text.data + at, len};

		at += len + 1;
		if (vntext_is_nfc(one))
			continue;
		AUTO(buf_clear) struct buf scratch = {0};

		if (vntext_nfc(one, &scratch) != ERR_OK)
			return fail(b, line, "text is not UTF-8");
		return fail(b, line, "text is not in Unicode form NFC");
	}
	return ERR_OK;
}

static enum err run_parser(struct build *b, yaml_parser_t *parser)
{
	enum err e = ERR_OK;
	bool is_done = false;

	while (e == ERR_OK && !is_done) {
		yaml_event_t event;

		if (yaml_parser_parse(parser, &event) == 0)
			return fail(b, parser->problem_mark.line + 1,
				    parser->problem != NULL ? parser->problem : "not YAML");
		is_done = event.type == YAML_STREAM_END_EVENT;
		e = take_event(b, &event);
		yaml_event_delete(&event);
	}
	return e;
}

enum err yaml_read(struct arena *a, struct bytes text, struct yaml_tree **ret_tree,
		   struct yaml_problem *ret_problem)
{
	struct build b = {.arena = a, .problem = ret_problem};
	yaml_parser_t parser;
	enum err e = check_lines(&b, text);

	if (e != ERR_OK)
		return e;
	if (yaml_parser_initialize(&parser) == 0)
		return fail(&b, 1, "the YAML library did not start");
	yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&parser, text.data, text.len);
	e = run_parser(&b, &parser);
	yaml_parser_delete(&parser);
	if (e == ERR_OK)
		*ret_tree = b.root;
	return e;
}

const struct yaml_tree *yaml_find(const struct yaml_tree *map, const char *key)
{
	for (const struct yaml_tree *e = map->first; e != NULL; e = e->next) {
		if (bytes_is(e->key, key))
			return e;
	}
	return NULL;
}

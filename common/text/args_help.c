#include "common/text/args_help.h"

#include <string.h>

#include "common/model/vntext.h"

#define HELP_COLUMN   30u /* where the texts begin */
#define NEAR_DISTANCE 2u  /* typing errors a suggestion forgives */
#define WORD_MAX      40u /* longer words get no suggestion */

static size_t least(size_t a, size_t b, size_t c)
{
	size_t ab = a < b ? a : b;

	return ab < c ? ab : c;
}

/* Letters to put in, take out or change to make one word of the other. */
static size_t distance(struct bytes a, struct bytes b)
{
	size_t row[WORD_MAX + 1];

	if (a.len > WORD_MAX || b.len > WORD_MAX)
		return SIZE_MAX;
	for (size_t j = 0; j <= b.len; j++)
		row[j] = j;
	for (size_t i = 1; i <= a.len; i++) {
		size_t corner = row[0];

		row[0] = i;
		for (size_t j = 1; j <= b.len; j++) {
			size_t change = corner + (a.data[i - 1] != b.data[j - 1]);

			corner = row[j];
			row[j] = least(row[j] + 1, row[j - 1] + 1, change);
		}
	}
	return row[b.len];
}

/* The nearest of the words offered to it. */
struct nearest {
	struct bytes word;
	const char *found;
	size_t distance;
};

static void offer(struct nearest *n, const char *candidate)
{
	size_t d = distance(n->word, bytes_str(candidate));

	/* Two changes make any short word of any other: half of it has to be right. */
	if (d < n->distance && 2 * d <= n->word.len) {
		n->distance = d;
		n->found = candidate;
	}
}

static void offer_options(struct nearest *n, const struct args_option *options, size_t count)
{
	for (size_t i = 0; i < count; i++)
		offer(n, options[i].name);
}

static void put_name(const struct args *a, struct buf *out)
{
	buf_append_str(out, a->program->name);
	if (a->command != NULL && a->command->name[0] != '\0')
		buf_printf(out, " %s", a->command->name);
}

static void put_pointer_to_help(const struct args *a, struct buf *out)
{
	buf_append_str(out, "Xem (see): ");
	put_name(a, out);
	buf_append_str(out, " --help\n");
}

void args_print_usage_error(const struct args *a, struct buf *out, const char *vi, const char *en,
			    const char *what)
{
	put_name(a, out);
	buf_printf(out, ": %s (%s)", vi, en);
	if (what != NULL) {
		buf_append_str(out, ": ");
		vntext_show(bytes_str(what), out);
	}
	buf_append_byte(out, '\n');
	put_pointer_to_help(a, out);
}

void args_print_unknown_option(const struct args *a, struct buf *out, struct bytes word)
{
	size_t dashes = word.len > 2 && word.data[1] == '-' ? 2 : 1;
	struct nearest n = {.word = {word.data + dashes, word.len - dashes},
			    .distance = NEAR_DISTANCE + 1};

	offer_options(&n, a->program->options, a->program->option_count);
	if (a->command != NULL)
		offer_options(&n, a->command->options, a->command->option_count);
	put_name(a, out);
	buf_append_str(out, ": không có tùy chọn này (unknown option): ");
	vntext_show(word, out);
	if (n.found != NULL)
		buf_printf(out, "; có phải (did you mean) --%s?", n.found);
	buf_append_byte(out, '\n');
	put_pointer_to_help(a, out);
}

static bool begins_with_word(const char *name, const char *word)
{
	size_t len = strlen(word);

	return strncmp(name, word, len) == 0 && name[len] == ' ';
}

/* "device" alone: what there is behind it. */
static size_t put_same_beginning(const struct args *a, struct buf *out, const char *word)
{
	size_t found = 0;

	for (size_t i = 0; i < a->program->command_count; i++) {
		const char *name = a->program->commands[i].name;

		if (begins_with_word(name, word))
			buf_printf(out, "%s%s", found++ == 0 ? "; có (there are): " : ", ", name);
	}
	return found;
}

void args_print_unknown_command(const struct args *a, struct buf *out, const char *const *words,
				size_t count)
{
	AUTO(buf_clear) struct buf both = {0};
	struct nearest one = {.word = bytes_str(words[0]), .distance = NEAR_DISTANCE + 1};
	struct nearest two = one;

	buf_append_str(&both, words[0]);
	if (count > 1)
		buf_printf(&both, " %s", words[1]);
	two.word = buf_bytes(&both);
	for (size_t i = 0; i < a->program->command_count; i++) {
		offer(&one, a->program->commands[i].name);
		offer(&two, a->program->commands[i].name);
	}
	buf_printf(out, "%s: không có lệnh này (unknown command): ", a->program->name);
	vntext_show(bytes_str(words[0]), out);
	if (put_same_beginning(a, out, words[0]) == 0 && (one.found != NULL || two.found != NULL))
		buf_printf(out, "; có phải (did you mean) %s?",
			   two.found != NULL ? two.found : one.found);
	buf_append_byte(out, '\n');
	put_pointer_to_help(a, out);
}

static void pad_to_column(struct buf *out, size_t line_start)
{
	size_t width = vntext_width(bytes_of(out->data + line_start, out->len - line_start));

	if (width + 2 > HELP_COLUMN) {
		buf_append_byte(out, '\n');
		width = 0;
	}
	for (; width < HELP_COLUMN; width++)
		buf_append_byte(out, ' ');
}

/* Vietnamese beside the term, English on the line under it. */
static void put_term(struct buf *out, struct bytes term, const char *vi, const char *en)
{
	size_t start = out->len;

	buf_append_str(out, "  ");
	buf_append_bytes(out, term);
	pad_to_column(out, start);
	buf_printf(out, "%s\n", vi);
	if (en != NULL) {
		pad_to_column(out, out->len);
		buf_printf(out, "%s\n", en);
	}
}

static void put_option(struct buf *out, const struct args_option *o)
{
	AUTO(buf_clear) struct buf term = {0};

	if (o->letter != '\0')
		buf_printf(&term, "-%c, ", o->letter);
	buf_printf(&term, "--%s", o->name);
	if (o->value != NULL)
		buf_printf(&term, " %s", o->value);
	if (o->is_repeatable)
		buf_append_str(&term, " …");
	put_term(out, buf_bytes(&term), o->help_vi, o->help_en);
}

static void put_options(struct buf *out, const struct args_option *options, size_t count)
{
	for (size_t i = 0; i < count; i++)
		put_option(out, &options[i]);
}

static void put_positional(struct buf *out, const struct args_positional *p)
{
	buf_printf(out, p->is_optional ? " [%s]" : " %s", p->name);
	if (p->is_repeated)
		buf_append_str(out, " …");
}

static void put_usage(const struct args_program *program, const struct args_command *command,
		      struct buf *out)
{
	bool has_options =
		program->option_count != 0 || (command != NULL && command->option_count != 0);

	buf_printf(out, "Cách dùng (usage): %s", program->name);
	if (command != NULL && command->name[0] != '\0')
		buf_printf(out, " %s", command->name);
	if (has_options)
		buf_append_str(out, " [--…]");
	if (command == NULL)
		buf_append_str(out, " LỆNH (COMMAND) …");
	for (size_t i = 0; command != NULL && i < command->positional_count; i++)
		put_positional(out, &command->positionals[i]);
	buf_append_str(out, "\n\n");
}

static void put_commands(const struct args_program *program, struct buf *out)
{
	buf_append_str(out, "\nCác lệnh (commands):\n");
	for (size_t i = 0; i < program->command_count; i++) {
		AUTO(buf_clear) struct buf term = {0};
		const struct args_command *c = &program->commands[i];

		buf_append_str(&term, c->name);
		for (size_t k = 0; k < c->positional_count; k++)
			put_positional(&term, &c->positionals[k]);
		put_term(out, buf_bytes(&term), c->help_vi, c->help_en);
	}
}

void args_help(const struct args_program *program, const struct args_command *command,
	       struct buf *out)
{
	bool is_named = command != NULL && command->name[0] != '\0';

	put_usage(program, command, out);
	buf_printf(out, "%s\n%s\n", is_named ? command->help_vi : program->help_vi,
		   is_named ? command->help_en : program->help_en);
	if (command == NULL)
		put_commands(program, out);
	buf_append_str(out, "\nTùy chọn (options):\n");
	if (command != NULL)
		put_options(out, command->options, command->option_count);
	put_options(out, program->options, program->option_count);
	put_option(out, args_builtin_help());
	if (program->version != NULL)
		put_option(out, args_builtin_version());
	buf_append_str(out,
		       "\nMã thoát (exit codes):\n"
		       "  0 xong (done)\n"
		       "  1 bị từ chối hoặc lỗi (refused or failed)\n"
		       "  2 sai cách dùng (usage)\n"
		       "  3 không liên lạc được, hãy thử lại sau (nothing reachable, try later)\n"
		       "  4 xong một phần (done in part)\n");
}

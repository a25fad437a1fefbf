#include "common/text/args_complete.h"

#include <string.h>

#include "common/text/args_help.h"

#define NAME_WORDS_MAX 8u

/* The line as far as it is whole, and the word being typed. */
struct line {
	const struct args_program *program;
	const struct args_command *command; /* the longest whose name is there; NULL: none yet */
	const struct args_option *awaited;  /* its value comes next */
	const struct args_option *given[64];
	size_t given_count;
	const char *names[NAME_WORDS_MAX]; /* words that are no options */
	size_t name_count;
	size_t command_words; /* of them the command's */
	bool is_ended;        /* behind "--" */
	const char *typed;
	struct buf *out;
};

static const struct args_option *find(const struct args_option *options, size_t count,
				      struct bytes name)
{
	for (size_t i = 0; i < count; i++) {
		if (bytes_is(name, options[i].name))
			return &options[i];
	}
	return NULL;
}

static const struct args_option *find_letter(const struct args_option *options, size_t count,
					     char letter)
{
	for (size_t i = 0; i < count; i++) {
		if (options[i].letter == letter)
			return &options[i];
	}
	return NULL;
}

/* "--name", "--name=…", "-o"; NULL: none of ours. */
static const struct args_option *option_of(const struct line *l, const char *word)
{
	const struct args_program *p = l->program;
	const struct args_command *c = l->command;
	const struct args_option *found = NULL;

	if (word[1] == '-') {
		struct bytes name = bytes_of(word + 2, strcspn(word + 2, "="));

		if (c != NULL)
			found = find(c->options, c->option_count, name);
		return found != NULL ? found : find(p->options, p->option_count, name);
	}
	if (c != NULL)
		found = find_letter(c->options, c->option_count, word[1]);
	return found != NULL ? found : find_letter(p->options, p->option_count, word[1]);
}

/* Words of `name` that the line's names begin with; SIZE_MAX: the line goes another way. */
static size_t words_in_common(const struct line *l, const char *name)
{
	size_t at = 0;

	for (; *name != '\0' && at < l->name_count; at++) {
		size_t len = strcspn(name, " ");

		if (!bytes_is(bytes_of(name, len), l->names[at]))
			return SIZE_MAX;
		name += len;
		name += *name == ' ';
	}
	return *name == '\0' || at == l->name_count ? at : SIZE_MAX;
}

static size_t count_words(const char *name)
{
	size_t count = *name != '\0';

	for (; *name != '\0'; name++)
		count += *name == ' ';
	return count;
}

static void choose_command(struct line *l)
{
	for (size_t i = 0; i < l->program->command_count; i++) {
		const struct args_command *c = &l->program->commands[i];
		size_t words = count_words(c->name);
		size_t common = words_in_common(l, c->name);

		if (common != words || (l->command != NULL && words <= l->command_words))
			continue;
		l->command = c;
		l->command_words = words;
	}
}

static void take_option(struct line *l, const char *word)
{
	const struct args_option *option = option_of(l, word);
	bool is_inside = word[1] == '-' ? strchr(word, '=') != NULL : word[2] != '\0';

	if (option == NULL)
		return;
	if (l->given_count < sizeof l->given / sizeof l->given[0])
		l->given[l->given_count++] = option;
	if (option->value != NULL && !is_inside)
		l->awaited = option;
}

static void take_word(struct line *l, const char *word)
{
	/* Bash's own word between an option and its value. */
	if (l->awaited != NULL && strcmp(word, "=") == 0)
		return;
	if (l->awaited != NULL) {
		l->awaited = NULL;
		return;
	}
	if (!l->is_ended && strcmp(word, "--") == 0) {
		l->is_ended = true;
		return;
	}
	if (!l->is_ended && word[0] == '-' && word[1] != '\0') {
		take_option(l, word);
		return;
	}
	/* More positionals than this are all of the last one's kind. */
	if (l->name_count == NAME_WORDS_MAX) {
		l->names[NAME_WORDS_MAX - 1] = word;
		return;
	}
	l->names[l->name_count++] = word;
	choose_command(l);
}

/* ---- candidates ---- */

static void put(const struct line *l, struct bytes before, struct bytes word, const char *vi,
		const char *en)
{
	AUTO(buf_clear) struct buf whole = {0};
	size_t typed = strlen(l->typed);

	buf_append_bytes(&whole, before);
	buf_append_bytes(&whole, word);
	if (whole.len < typed || memcmp(whole.data, l->typed, typed) != 0)
		return;
	buf_append_bytes(l->out, buf_bytes(&whole));
	buf_append_byte(l->out, '\t');
	if (vi != NULL)
		buf_printf(l->out, "%s / %s", vi, en);
	buf_append_byte(l->out, '\n');
}

static bool begins(const char *text, const char *with)
{
	return strncmp(text, with, strlen(with)) == 0;
}

/* What help calls the thing tells what it is. */
static void put_values(const struct line *l, struct bytes before, const char *what)
{
	if (begins(what, "FILE") || strcmp(what, "PATH") == 0 || strcmp(what, "RETURN") == 0 ||
	    strcmp(what, "BACKUP") == 0) {
		buf_append_str(l->out, ":file\n");
	} else if (strcmp(what, "DIR") == 0) {
		buf_append_str(l->out, ":dir\n");
	} else if (strchr(what, '|') != NULL) {
		for (size_t len; *what != '\0'; what += len + (what[len] == '|')) {
			len = strcspn(what, "|");
			put(l, before, bytes_of(what, len), NULL, NULL);
		}
	}
}

static bool is_given(const struct line *l, const struct args_option *option)
{
	for (size_t i = 0; i < l->given_count; i++) {
		if (l->given[i] == option && !option->is_repeatable)
			return true;
	}
	return false;
}

static void put_option(const struct line *l, const struct args_option *option)
{
	if (!is_given(l, option))
		put(l, BYTES_LIT("--"), bytes_str(option->name), option->help_vi, option->help_en);
}

static void put_options(const struct line *l)
{
	const struct args_program *p = l->program;
	const struct args_command *c = l->command;

	for (size_t i = 0; c != NULL && i < c->option_count; i++)
		put_option(l, &c->options[i]);
	for (size_t i = 0; i < p->option_count; i++)
		put_option(l, &p->options[i]);
	put_option(l, args_builtin_help());
	if (p->version != NULL)
		put_option(l, args_builtin_version());
}

/* The word of `name` that comes next, once however many commands share it. */
static void put_next_word(const struct line *l, size_t index)
{
	const struct args_command *commands = l->program->commands;
	const char *name = commands[index].name;
	const char *rest = name;
	size_t upto;
	bool is_last;

	if (words_in_common(l, name) != l->name_count || count_words(name) <= l->name_count)
		return;
	for (size_t i = 0; i < l->name_count; i++)
		rest += strcspn(rest, " ") + 1;
	upto = (size_t)(rest - name) + strcspn(rest, " ");
	is_last = name[upto] == '\0';
	for (size_t i = 0; i < index; i++) {
		const char *earlier = commands[i].name;

		if (strncmp(earlier, name, upto) == 0 &&
		    (earlier[upto] == '\0' || earlier[upto] == ' '))
			return;
	}
	put(l, (struct bytes){0}, bytes_of(rest, strcspn(rest, " ")),
	    is_last ? commands[index].help_vi : NULL, commands[index].help_en);
}

static void put_positional(const struct line *l)
{
	const struct args_command *c = l->command;
	size_t at;

	if (c == NULL || c->positional_count == 0)
		return;
	at = l->name_count - l->command_words;
	if (at >= c->positional_count) {
		at = c->positional_count - 1;
		if (!c->positionals[at].is_repeated)
			return;
	}
	put_values(l, (struct bytes){0}, c->positionals[at].name);
}

static void put_words(const struct line *l)
{
	for (size_t i = 0; !l->is_ended && i < l->program->command_count; i++)
		put_next_word(l, i);
	put_positional(l);
}

/* Of "--name=": what stands in front of the value is part of the word. */
static void put_inside(const struct line *l)
{
	const struct args_option *option = option_of(l, l->typed);
	size_t len = strcspn(l->typed, "=") + 1;

	if (option != NULL && option->value != NULL)
		put_values(l, bytes_of(l->typed, len), option->value);
}

void args_complete(const struct args_program *program, size_t count, char *const *words,
		   struct buf *out)
{
	struct line l = {.program = program, .typed = "", .out = out};

	choose_command(&l);
	for (size_t i = 0; i + 1 < count; i++)
		take_word(&l, words[i]);
	if (count != 0)
		l.typed = words[count - 1];
	if (l.awaited != NULL && strcmp(l.typed, "=") == 0)
		l.typed = "";
	if (l.awaited != NULL)
		put_values(&l, (struct bytes){0}, l.awaited->value);
	else if (!l.is_ended && begins(l.typed, "--") && strchr(l.typed, '=') != NULL)
		put_inside(&l);
	else if (!l.is_ended && l.typed[0] == '-')
		put_options(&l);
	else
		put_words(&l);
}

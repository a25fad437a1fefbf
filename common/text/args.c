#include "common/text/args.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/check.h"
#include "common/text/args_complete.h"
#include "common/text/args_help.h"

#define COMMAND_WORDS_MAX 3u

static const struct args_option help_option = {"help", NULL, "in hướng dẫn này", "print this help",
					       'h',    false};
static const struct args_option version_option = {"version",           NULL, "in số phiên bản",
						  "print the version", '\0', false};

void args_clear(struct args *a)
{
	arena_clear(&a->memory);
	*a = (struct args){0};
}

/* Reading goes over the line once for the command and once for all else. */
struct reading {
	struct args *args;
	struct buf *out;
	size_t argc;
	char *const *argv;
	size_t at;
	bool is_ended; /* behind "--" */
	bool wants_help;
	bool wants_version;
};

static const struct args_option *find_option(const struct args *a, const char *name, size_t len)
{
	const struct args_program *p = a->program;
	const struct args_command *c = a->command;

	for (size_t i = 0; c != NULL && i < c->option_count; i++) {
		if (bytes_is(bytes_of(name, len), c->options[i].name))
			return &c->options[i];
	}
	for (size_t i = 0; i < p->option_count; i++) {
		if (bytes_is(bytes_of(name, len), p->options[i].name))
			return &p->options[i];
	}
	if (bytes_is(bytes_of(name, len), help_option.name))
		return &help_option;
	if (p->version != NULL && bytes_is(bytes_of(name, len), version_option.name))
		return &version_option;
	return NULL;
}

static const struct args_option *find_letter(const struct args *a, char letter)
{
	const struct args_program *p = a->program;
	const struct args_command *c = a->command;

	for (size_t i = 0; c != NULL && i < c->option_count; i++) {
		if (c->options[i].letter == letter)
			return &c->options[i];
	}
	for (size_t i = 0; i < p->option_count; i++) {
		if (p->options[i].letter == letter)
			return &p->options[i];
	}
	return letter == help_option.letter ? &help_option : NULL;
}

static bool is_option(const char *word)
{
	return word[0] == '-' && word[1] != '\0';
}

static bool is_given(const struct args *a, const struct args_option *option)
{
	for (size_t i = 0; i < a->given_count; i++) {
		if (a->given[i].option == option)
			return true;
	}
	return false;
}

static bool give(struct reading *r, const struct args_option *option, const char *value)
{
	struct args *a = r->args;

	if (option == &help_option)
		r->wants_help = true;
	if (option == &version_option)
		r->wants_version = true;
	/* A flag said twice means what it means once. */
	if (!option->is_repeatable && option->value != NULL && is_given(a, option)) {
		args_print_usage_error(a, r->out, "tùy chọn chỉ được ghi một lần",
				       "option may be given once only", option->name);
		return false;
	}
	a->given[a->given_count++] = (struct args_given){option, value};
	return true;
}

/*
 * The value is in the same word (`inside`), or the next word. One that looks like
 * a long option is refused: "--why --unit 25195" forgot the reason.
 */
static bool give_with_value(struct reading *r, const struct args_option *option, const char *inside)
{
	const char *next = r->at + 1 < r->argc ? r->argv[r->at + 1] : NULL;

	if (option->value == NULL && inside != NULL) {
		args_print_usage_error(r->args, r->out, "tùy chọn không nhận giá trị",
				       "option takes no value", option->name);
		return false;
	}
	if (option->value == NULL || inside != NULL)
		return give(r, option, inside);
	if (next == NULL || strncmp(next, "--", 2) == 0) {
		args_print_usage_error(r->args, r->out, "tùy chọn thiếu giá trị",
				       "option needs a value", option->name);
		return false;
	}
	r->at++;
	return give(r, option, next);
}

static bool read_long(struct reading *r, const char *word)
{
	const char *name = word + 2;
	const char *sign = strchr(name, '=');
	size_t len = sign != NULL ? (size_t)(sign - name) : strlen(name);
	const struct args_option *option = find_option(r->args, name, len);

	if (option == NULL) {
		args_print_unknown_option(r->args, r->out, bytes_of(word, len + 2));
		return false;
	}
	return give_with_value(r, option, sign != NULL ? sign + 1 : NULL);
}

/* "-o", "-oFILE", and flags one behind the other: "-qv". */
static bool read_short(struct reading *r, const char *word)
{
	for (const char *letter = word + 1; *letter != '\0'; letter++) {
		const struct args_option *option = find_letter(r->args, *letter);

		if (option == NULL) {
			args_print_unknown_option(r->args, r->out, bytes_str(word));
			return false;
		}
		if (option->value != NULL)
			return give_with_value(r, option, letter[1] != '\0' ? letter + 1 : NULL);
		if (!give(r, option, NULL))
			return false;
	}
	return true;
}

/*
 * An option in front of the command has to be one of the program's: false when it
 * is not. Tells whether the next word is its value.
 */
static bool look_at_option(const struct args *a, const char *word, bool *ret_takes_next)
{
	bool is_long = word[1] == '-';
	size_t len = is_long ? strcspn(word + 2, "=") : 1;
	const struct args_option *option =
		is_long ? find_option(a, word + 2, len) : find_letter(a, word[1]);
	/* Flags may stand in front of the letter that takes a value: "-qs". */
	size_t at = 1;

	while (!is_long && option != NULL && option->value == NULL && word[at + 1] != '\0')
		option = find_letter(a, word[++at]);
	if (option == NULL)
		return false;
	*ret_takes_next = option->value != NULL && word[is_long ? len + 2 : at + 1] == '\0';
	return true;
}

/* The first words of the line that may be a command's name, and their places. */
struct name_words {
	const char *words[COMMAND_WORDS_MAX];
	size_t places[COMMAND_WORDS_MAX];
	size_t count;
};

/* False when an option in front of them is unknown; that is said in `out`. */
static bool find_name_words(const struct reading *r, struct name_words *ret_name)
{
	struct name_words n = {.count = 0};
	bool takes_next = false;

	for (size_t i = 1; i < r->argc && n.count < COMMAND_WORDS_MAX; i++) {
		const char *word = r->argv[i];

		if (strcmp(word, "--") == 0 || (is_option(word) && n.count != 0))
			break;
		if (!is_option(word)) {
			n.places[n.count] = i;
			n.words[n.count++] = word;
			continue;
		}
		if (!look_at_option(r->args, word, &takes_next)) {
			args_print_unknown_option(r->args, r->out, bytes_str(word));
			return false;
		}
		i += takes_next;
	}
	*ret_name = n;
	return true;
}

/* How many words the command's name has, if the line begins with all of them. */
static size_t matching_words(const char *name, const char *const *words, size_t count)
{
	size_t matched = 0;

	while (*name != '\0') {
		size_t len = strcspn(name, " ");

		if (matched == count || !bytes_is(bytes_of(name, len), words[matched]))
			return 0;
		matched++;
		name += len;
		name += *name == ' ';
	}
	return matched;
}

/* Sets the command and marks its words; false when what is there is none. */
static bool find_command(struct reading *r, bool *is_command_word)
{
	const struct args_program *p = r->args->program;
	struct name_words name;
	size_t best = 0;

	if (p->command_count == 1 && p->commands[0].name[0] == '\0') {
		r->args->command = &p->commands[0];
		return true;
	}
	if (!find_name_words(r, &name))
		return false;
	for (size_t i = 0; i < p->command_count; i++) {
		size_t matched = matching_words(p->commands[i].name, name.words, name.count);

		if (matched > best) {
			best = matched;
			r->args->command = &p->commands[i];
		}
	}
	for (size_t i = 0; i < best; i++)
		is_command_word[name.places[i]] = true;
	if (best == 0 && name.count != 0)
		args_print_unknown_command(r->args, r->out, name.words, name.count);
	return best != 0 || name.count == 0;
}

static bool read_words(struct reading *r, const bool *is_command_word)
{
	for (r->at = 1; r->at < r->argc; r->at++) {
		const char *word = r->argv[r->at];
		bool is_read = true;

		if (is_command_word[r->at])
			continue;
		if (r->is_ended || !is_option(word))
			r->args->positionals[r->args->positional_count++] = word;
		else if (strcmp(word, "--") == 0)
			r->is_ended = true;
		else if (word[1] == '-')
			is_read = read_long(r, word);
		else
			is_read = read_short(r, word);
		if (!is_read)
			return false;
	}
	return true;
}

static bool has_right_positionals(const struct reading *r)
{
	const struct args_command *c = r->args->command;
	size_t count = r->args->positional_count;
	bool is_endless =
		c->positional_count != 0 && c->positionals[c->positional_count - 1].is_repeated;

	for (size_t i = count; i < c->positional_count; i++) {
		if (!c->positionals[i].is_optional) {
			args_print_usage_error(r->args, r->out, "thiếu", "missing argument",
					       c->positionals[i].name);
			return false;
		}
	}
	if (count > c->positional_count && !is_endless) {
		args_print_usage_error(r->args, r->out, "thừa", "unexpected argument",
				       r->args->positionals[c->positional_count]);
		return false;
	}
	return true;
}

static enum args_step finish(struct reading *r)
{
	const struct args_program *p = r->args->program;

	if (r->wants_help) {
		args_help(p, r->args->command, r->out);
		return ARGS_HELP;
	}
	if (r->wants_version) {
		buf_printf(r->out, "%s %s\n", p->name, p->version);
		return ARGS_HELP;
	}
	if (r->args->command == NULL) {
		args_print_usage_error(r->args, r->out, "thiếu tên lệnh", "missing command", NULL);
		return ARGS_USAGE;
	}
	return has_right_positionals(r) ? ARGS_RUN : ARGS_USAGE;
}

enum args_step args_parse(const struct args_program *program, int argc, char *const *argv,
			  struct args *ret_args, struct buf *out)
{
	struct reading r = {.args = ret_args, .out = out, .argv = argv};
	bool *is_command_word;
	size_t options = 1;

	*ret_args = (struct args){.program = program};
	r.argc = argc > 0 ? (size_t)argc : 0;
	if (r.argc > 1 && strcmp(argv[1], ARGS_COMPLETE_OPTION) == 0) {
		args_complete(program, r.argc - 2, argv + 2, out);
		return ARGS_HELP;
	}
	/* "-qv" is more options than words. */
	for (size_t i = 1; i < r.argc; i++)
		options += argv[i][0] == '-' && argv[i][1] != '-' ? strlen(argv[i]) : 1;
	is_command_word = arena_alloc_array(&ret_args->memory, r.argc + 1, sizeof(bool));
	ret_args->given = arena_alloc_array(&ret_args->memory, options, sizeof(*ret_args->given));
	ret_args->positionals = arena_alloc_array(&ret_args->memory, r.argc + 1, sizeof(char *));
	if (!find_command(&r, is_command_word) || !read_words(&r, is_command_word))
		return ARGS_USAGE;
	return finish(&r);
}

static bool is_known(const struct args *a, const char *name)
{
	return find_option(a, name, strlen(name)) != NULL;
}

size_t args_count(const struct args *a, const char *name)
{
	size_t count = 0;

	REQUIRE(is_known(a, name));
	for (size_t i = 0; i < a->given_count; i++)
		count += strcmp(a->given[i].option->name, name) == 0;
	return count;
}

bool args_has(const struct args *a, const char *name)
{
	return args_count(a, name) != 0;
}

const char *args_value_at(const struct args *a, const char *name, size_t index)
{
	for (size_t i = 0; i < a->given_count; i++) {
		if (strcmp(a->given[i].option->name, name) == 0 && index-- == 0)
			return a->given[i].value;
	}
	UNREACHABLE();
}

const char *args_value(const struct args *a, const char *name, const char *otherwise)
{
	size_t count = args_count(a, name);

	return count != 0 ? args_value_at(a, name, count - 1) : otherwise;
}

const char *args_positional(const struct args *a, size_t index)
{
	return index < a->positional_count ? a->positionals[index] : NULL;
}

enum err args_integer(const struct args *a, const char *name, int64_t min, int64_t max,
		      struct buf *out, int64_t *ret_number)
{
	const char *text = args_value(a, name, NULL);
	char en[128];
	char *end;
	long long number;

	if (text == NULL)
		return ERR_OK;
	errno = 0;
	number = strtoll(text, &end, 10);
	/* strtoll also takes blanks and a plus sign in front. */
	if (end != text && *end == '\0' && errno == 0 && strchr("-0123456789", text[0]) != NULL &&
	    number >= min && number <= max) {
		*ret_number = number;
		return ERR_OK;
	}
	(void)snprintf(en, sizeof en, "wants a whole number from %" PRId64 " to %" PRId64, min,
		       max);
	args_print_usage_error(a, out, "giá trị phải là số nguyên trong khoảng cho phép", en, name);
	return err_raise(ERR_INVAL, "--%s: not a number in range", name);
}

void args_complain(const struct args *a, struct buf *out, const char *vi, const char *en)
{
	args_print_usage_error(a, out, vi, en, NULL);
}

const struct args_option *args_builtin_help(void)
{
	return &help_option;
}

const struct args_option *args_builtin_version(void)
{
	return &version_option;
}

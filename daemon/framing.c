#include "daemon/framing.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define DIGITS_MAX 18u /* of a Content-Length: fits size_t */

void header_add(struct header **list, struct arena *a, const char *name, const char *value)
{
	struct header *h = arena_alloc(a, sizeof *h);

	h->name = arena_strdup(a, bytes_str(name));
	h->value = arena_strdup(a, bytes_str(value));
	h->next = *list;
	*list = h;
}

const char *header_find(const struct header *list, const char *name)
{
	for (const struct header *h = list; h != NULL; h = h->next)
		if (strcasecmp(h->name, name) == 0)
			return h->value;
	return NULL;
}

static bool is_plain_name(const char *name)
{
	/* "Content-Length : 6" gets through the library with the blank in the name. */
	for (const char *p = name; *p != '\0'; p++)
		if (*p <= ' ' || *p == 127)
			return false;
	return name[0] != '\0';
}

static bool is_plain_value(const char *value)
{
	for (const unsigned char *p = (const unsigned char *)value; *p != '\0'; p++)
		if ((*p < ' ' && *p != '\t') || *p == 127)
			return false;
	return true;
}

static bool read_length(const char *text, size_t *ret_length)
{
	size_t len = strlen(text);

	if (len == 0 || len > DIGITS_MAX || strspn(text, "0123456789") != len)
		return false;
	*ret_length = (size_t)strtoull(text, NULL, 10);
	return true;
}

void framing_header(struct framing *f, const char *name, const char *value)
{
	f->is_odd |= !is_plain_name(name) || !is_plain_value(value);
	if (strcasecmp(name, "Content-Length") == 0) {
		f->lengths++;
		f->is_odd |= !read_length(value, &f->length);
	} else if (strcasecmp(name, "Transfer-Encoding") == 0) {
		f->codings++;
		f->is_odd |= strcasecmp(value, "chunked") != 0;
	} else if (strcasecmp(name, "Host") == 0) {
		f->hosts++;
	}
}

bool framing_is_doubtful(const struct framing *f)
{
	return f->is_odd || f->lengths > 1 || f->codings > 1 || f->hosts > 1 ||
	       (f->lengths > 0 && f->codings > 0);
}

bool framing_is_chunked(const struct framing *f)
{
	return f->codings > 0;
}

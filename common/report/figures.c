#define LOG_TAG "figures"

#include "common/report/figures.h"

#include <stdio.h>
#include <string.h>

#define MILLION INT64_C(1000000)

static void append_grouped(struct buf *out, const char *digits, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (i != 0 && (len - i) % 3 == 0)
			buf_append_byte(out, '.');
		buf_append_byte(out, (uint8_t)digits[i]);
	}
}

void figures_append_integer(struct buf *out, int64_t number)
{
	char digits[24];
	int len;

	if (number < 0)
		buf_append_byte(out, '-');
	len = snprintf(digits, sizeof digits, "%llu",
		       number < 0 ? 0 - (unsigned long long)number : (unsigned long long)number);
	append_grouped(out, digits, (size_t)len);
}

void figures_append_decimal(struct buf *out, double number, int decimals)
{
	char text[400];
	char *start = text;
	char *point;
	size_t len;

	(void)snprintf(text, sizeof text, "%.*f", decimals, number);
	len = strlen(text);
	point = strchr(text, '.');
	while (point != NULL && text[len - 1] == '0')
		text[--len] = '\0';
	if (point != NULL && text[len - 1] == '.')
		text[--len] = '\0';
	if (strcmp(text, "-0") == 0)
		start++;
	if (*start == '-')
		buf_append_byte(out, (uint8_t)*start++);
	point = strchr(start, '.');
	append_grouped(out, start, point != NULL ? (size_t)(point - start) : strlen(start));
	if (point != NULL)
		buf_printf(out, ",%s", point + 1);
}

void figures_append_money(struct buf *out, int64_t dong)
{
	if ((dong != 0 && dong % MILLION == 0) || dong > 1000 * MILLION || dong < -1000 * MILLION) {
		figures_append_decimal(out, (double)dong / (double)MILLION, 1);
		buf_append_str(out, " triệu đồng");
		return;
	}
	figures_append_integer(out, dong);
	buf_append_str(out, " đồng");
}

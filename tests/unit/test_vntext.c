#include "tests/unit/test.h"

#include <dirent.h>

#include "common/base/rand.h"
#include "common/model/vntext.h"
#include "tests/unit/data.h"

static void assert_nfc(const char *text, const char *want)
{
	struct buf got = {0};

	assert_ok(vntext_nfc(bytes_str(text), &got));

	assert_string_equal(buf_cstr(&got), want);
	assert_true(vntext_is_nfc(bytes_str(want)));
	assert_true(vntext_is_nfc(bytes_str(text)) == (strcmp(text, want) == 0));
	buf_clear(&got);
}

static void assert_key(const char *text, enum vntext_level level, const char *want)
{
	struct buf got = {0};

	assert_ok(vntext_key(bytes_str(text), level, &got));

	assert_string_equal(buf_cstr(&got), want);
	buf_clear(&got);
}

static int order_of(struct bytes a, struct bytes b)
{
	struct buf key_a = {0};
	struct buf key_b = {0};
	int order;

	assert_ok(vntext_order_key(a, &key_a));
	assert_ok(vntext_order_key(b, &key_b));
	order = bytes_compare(buf_bytes(&key_a), buf_bytes(&key_b));
	buf_clear(&key_a);
	buf_clear(&key_b);
	return order;
}

static bool keys_are_equal(const char *a, const char *b, enum vntext_level level)
{
	struct buf key_a = {0};
	struct buf key_b = {0};
	bool is_equal;

	assert_ok(vntext_key(bytes_str(a), level, &key_a));
	assert_ok(vntext_key(bytes_str(b), level, &key_b));
	is_equal = bytes_equal(buf_bytes(&key_a), buf_bytes(&key_b));
	buf_clear(&key_a);
	buf_clear(&key_b);
	return is_equal;
}

/* "U+0061 U+0300" -> UTF-8. */
static void put_code_points(struct bytes list, struct buf *out)
{
	const char *at = (const char *)list.data;
	const char *end = at + list.len;

	while (at < end) {
		char *next;
		unsigned long c = strtoul(at + 2, &next, 16);

		if (c < 0x80) {
			buf_append_byte(out, (uint8_t)c);
		} else {
			assert_true(c < 0x800);
			buf_append_byte(out, (uint8_t)(0xc0 | c >> 6));
			buf_append_byte(out, (uint8_t)(0x80 | (c & 0x3f)));
		}
		at = next + (next < end);
	}
}

static long number_at(const struct csv_reader *r, size_t index)
{
	char digits[32] = {0};
	struct bytes field = csv_field(r, index);

	assert_in_range(field.len, 1, sizeof digits - 1);
	memcpy(digits, field.data, field.len);
	return strtol(digits, NULL, 10);
}

/* One letter of the table: both compositions, three keys. */
static void check_letter(const struct csv_reader *r)
{
	struct buf letter = {0};
	struct buf nfd = {0};
	struct buf key = {0};
	struct buf nfc = {0};
	struct bytes toneless = csv_field(r, 4);
	struct bytes fold = csv_field(r, 3);

	buf_append_bytes(&letter, csv_field(r, 0));
	put_code_points(csv_field(r, 9), &nfd);
	assert_ok(vntext_nfc(buf_bytes(&nfd), &nfc));
	assert_true(bytes_equal(buf_bytes(&nfc), buf_bytes(&letter)));
	assert_int_equal(vntext_length(buf_bytes(&letter)), 1);
	assert_int_equal(vntext_width(buf_bytes(&letter)), 1);
	assert_int_equal(vntext_width(buf_bytes(&nfd)), 1);

	assert_ok(vntext_key(buf_bytes(&nfd), VNTEXT_TONELESS, &key));
	assert_true(bytes_equal(buf_bytes(&key), toneless));
	buf_reset(&key);
	assert_ok(vntext_key(buf_bytes(&nfd), VNTEXT_FOLD, &key));
	assert_true(bytes_equal(buf_bytes(&key), fold));
	if (bytes_is(csv_field(r, 8), "lower")) {
		buf_reset(&key);
		assert_ok(vntext_key(buf_bytes(&nfd), VNTEXT_EXACT, &key));
		assert_true(bytes_equal(buf_bytes(&key), buf_bytes(&letter)));
	}
	buf_clear(&letter);
	buf_clear(&nfd);
	buf_clear(&key);
	buf_clear(&nfc);
}

static void every_letter_composes_and_folds_as_the_table_says(UNUSED_STATE)
{
	struct buf text = {0};
	struct csv_reader r;
	size_t letters = 0;

	data_load("vn_letters.csv", &text);
	csv_reader_init(&r, buf_bytes(&text));
	assert_true(data_row(&r));
	assert_int_equal(csv_find(&r, "char"), 0);
	assert_int_equal(csv_find(&r, "fold_ascii"), 3);
	assert_int_equal(csv_find(&r, "letter"), 4);
	assert_int_equal(csv_find(&r, "case"), 8);
	assert_int_equal(csv_find(&r, "nfd"), 9);
	for (; data_row(&r); letters++)
		check_letter(&r);

	assert_int_equal(letters, 186);
	csv_reader_clear(&r);
	buf_clear(&text);
}

/* Place of a letter: letter, then tone, then case. */
static long place_of(const struct csv_reader *r)
{
	return number_at(r, 5) * 100 + number_at(r, 6) * 10 + bytes_is(csv_field(r, 8), "upper");
}

static void every_pair_of_letters_is_in_the_tables_order(UNUSED_STATE)
{
	struct buf text = {0};
	struct csv_reader a;
	struct csv_reader b;

	data_load("vn_letters.csv", &text);
	csv_reader_init(&a, buf_bytes(&text));
	assert_true(data_row(&a));
	while (data_row(&a)) {
		csv_reader_init(&b, buf_bytes(&text));
		assert_true(data_row(&b));
		while (data_row(&b)) {
			long want = place_of(&a) - place_of(&b);
			int got = order_of(csv_field(&a, 0), csv_field(&b, 0));

			assert_int_equal((got > 0) - (got < 0), (want > 0) - (want < 0));
		}
		csv_reader_clear(&b);
	}
	csv_reader_clear(&a);
	buf_clear(&text);
}

/*
 * The column rank_dictionary_syllable_by_syllable is ours. The other column
 * compares the letters of the whole text before any tone, as CLDR's Vietnamese
 * collation does: "Hà An, Há An, Ha Bình, Hà Bình". A dictionary, and a reader who
 * looks for the family Hà, wants all of Ha, then all of Hà, then all of Há.
 */
static void names_are_in_the_dictionarys_order_and_not_in_the_other(UNUSED_STATE)
{
	struct buf text = {0};
	struct csv_reader a;
	struct csv_reader b;
	size_t names = 0;
	size_t contradicted = 0;

	data_load("collation_test.csv", &text);
	csv_reader_init(&a, buf_bytes(&text));
	assert_true(data_row(&a));
	assert_int_equal(csv_find(&a, "rank_dictionary_syllable_by_syllable"), 1);
	assert_int_equal(csv_find(&a, "rank_letters_first_then_tones"), 2);
	for (; data_row(&a); names++) {
		csv_reader_init(&b, buf_bytes(&text));
		assert_true(data_row(&b));
		while (data_row(&b)) {
			long want = number_at(&a, 1) - number_at(&b, 1);
			long other = number_at(&a, 2) - number_at(&b, 2);
			int got = order_of(csv_field(&a, 0), csv_field(&b, 0));

			assert_int_equal((got > 0) - (got < 0), (want > 0) - (want < 0));
			contradicted += (got > 0) != (other > 0);
		}
		csv_reader_clear(&b);
	}

	assert_int_equal(names, 50);
	/* Ha Bình against Hà An and against Há An, Hà Bình against Há An; each both ways. */
	assert_int_equal(contradicted, 6);
	csv_reader_clear(&a);
	buf_clear(&text);
}

static void the_place_of_the_tone_mark_does_not_matter(UNUSED_STATE)
{
	struct buf text = {0};
	struct csv_reader r;
	size_t pairs = 0;

	data_load("tone_placement_pairs.csv", &text);
	csv_reader_init(&r, buf_bytes(&text));
	assert_true(data_row(&r));
	for (; data_row(&r); pairs++) {
		struct buf old_key = {0};
		struct buf new_key = {0};

		assert_false(bytes_equal(csv_field(&r, 0), csv_field(&r, 1)));
		assert_ok(vntext_key(csv_field(&r, 0), VNTEXT_EXACT, &old_key));
		assert_ok(vntext_key(csv_field(&r, 1), VNTEXT_EXACT, &new_key));
		assert_true(bytes_equal(buf_bytes(&old_key), buf_bytes(&new_key)));
		assert_int_equal(order_of(csv_field(&r, 0), csv_field(&r, 1)), 0);
		buf_clear(&old_key);
		buf_clear(&new_key);
	}

	assert_int_equal(pairs, 14);
	csv_reader_clear(&r);
	buf_clear(&text);
}

static void the_tone_mark_moves_only_where_two_styles_exist(UNUSED_STATE)
{
	assert_true(keys_are_equal("HOÀ BÌNH", "hòa bình", VNTEXT_EXACT));
	assert_true(keys_are_equal("uỷ ban", "ủy ban", VNTEXT_EXACT));
	assert_true(keys_are_equal("Hoà.", "Hòa.", VNTEXT_EXACT));
	/* Behind q the u belongs to the consonant. */
	assert_false(keys_are_equal("quý", "qúy", VNTEXT_EXACT));
	/* Not at the end of the syllable. */
	assert_false(keys_are_equal("hoàng", "hòang", VNTEXT_EXACT));
	/* i and y are two spellings. */
	assert_false(keys_are_equal("Mỹ", "Mĩ", VNTEXT_EXACT));
}

static void words_of_unit_names_are_stable(UNUSED_STATE)
{
	struct buf text = {0};
	struct csv_reader r;
	size_t words = 0;

	data_load("unit_syllables.csv", &text);
	csv_reader_init(&r, buf_bytes(&text));
	assert_true(data_row(&r));
	for (; data_row(&r); words++) {
		struct buf nfc = {0};

		assert_true(vntext_is_nfc(csv_field(&r, 0)));
		assert_ok(vntext_nfc(csv_field(&r, 0), &nfc));
		assert_true(bytes_equal(csv_field(&r, 0), buf_bytes(&nfc)));
		buf_clear(&nfc);
	}

	assert_int_equal(words, 2053);
	csv_reader_clear(&r);
	buf_clear(&text);
}

static size_t check_unit_list(const char *path)
{
	struct buf text = {0};
	struct csv_reader r;
	size_t units = 0;
	size_t column;

	data_load_path(path, &text);
	csv_reader_init(&r, buf_bytes(&text));
	assert_true(data_row(&r));
	column = csv_find(&r, "name");
	for (; column != CSV_NONE && data_row(&r); units++) {
		struct buf fold = {0};
		struct buf nfc = {0};

		assert_ok(vntext_nfc(csv_field(&r, column), &nfc));
		assert_true(bytes_equal(csv_field(&r, column), buf_bytes(&nfc)));
		assert_true(vntext_is_nfc(csv_field(&r, column)));
		assert_ok(vntext_key(csv_field(&r, column), VNTEXT_FOLD, &fold));
		for (size_t i = 0; i < fold.len; i++)
			assert_non_null(
				strchr("abcdefghijklmnopqrstuvwxyz0123456789 -.", fold.data[i]));
		buf_clear(&fold);
		buf_clear(&nfc);
	}
	csv_reader_clear(&r);
	buf_clear(&text);
	return units;
}

static void every_unit_name_is_stable_where_lists_are_given(UNUSED_STATE)
{
	const char *folder = getenv("CTXH_UNIT_LISTS");
	DIR *dir = folder != NULL ? opendir(folder) : NULL;
	size_t units = 0;

	if (dir == NULL) {
		skip();
		return;
	}
	for (const struct dirent *d = readdir(dir); d != NULL; d = readdir(dir)) {
		char path[4096];

		if (strncmp(d->d_name, "units_2", 7) != 0)
			continue;
		(void)snprintf(path, sizeof path, "%s/%s", folder, d->d_name);
		units += check_unit_list(path);
	}
	closedir(dir);

	print_message("%zu unit names\n", units);
	assert_true(units != 0);
}

static void decomposed_and_half_composed_input_is_mended(UNUSED_STATE)
{
	/* NFD, marks in either order; then as Windows-1258 has it. */
	assert_nfc("Lo\u0323\u0302c Tha\u0323nh", "Lộc Thạnh");
	assert_nfc("Lo\u0302\u0323c", "Lộc");
	assert_nfc("L\u00f4\u0323c Tha\u0323nh", "Lộc Thạnh");
	assert_nfc("\u00ca\u0301", "Ế");
	assert_nfc("\u01b0\u01a1\u0300ng", "ường");
	assert_nfc("a\u0341", "á");
	assert_nfc("", "");
	assert_nfc("Xã Lộc Thành, Đắk Lắk – 12 ₫…", "Xã Lộc Thành, Đắk Lắk – 12 ₫…");
	/* Nothing to compose with, and other scripts. */
	assert_nfc("\u0301", "\u0301");
	assert_nfc("日本 \u1100\u1161 \u212b", "日本 가 Å");
}

static void marks_after_settled_letters_are_seen(UNUSED_STATE)
{
	/* The fast path must not take a letter for finished when a mark follows. */
	assert_false(vntext_is_nfc(bytes_str("ab\u0303 a\u0303")));
	assert_false(vntext_is_nfc(bytes_str("\u1ea1\u0302")));
	assert_true(vntext_is_nfc(bytes_str("b\u0303")));
}

static void what_is_not_utf8_is_refused(UNUSED_STATE)
{
	static const struct {
		const char *what;
		struct bytes text;
	} cases[] = {
		{"a lone continuation", BYTES_LIT("a\x80")},
		{"a lead without its rest", BYTES_LIT("L\xe1\xbb")},
		{"a two-byte lead at the end", BYTES_LIT("\xc3")},
		{"a lead and a letter", BYTES_LIT("\xc3(")},
		{"an overlong slash", BYTES_LIT("\xc0\xaf")},
		{"a surrogate", BYTES_LIT("\xed\xa0\x80")},
		{"beyond Unicode", BYTES_LIT("\xf4\x90\x80\x80")},
		{"Windows-1258 bytes", BYTES_LIT("L\xf4\xf2"
						 "c")},
	};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct buf out = {0};

		print_message("%s\n", cases[i].what);
		buf_append_str(&out, "kept");
		assert_err(vntext_nfc(cases[i].text, &out), ERR_INVAL);
		assert_err(vntext_key(cases[i].text, VNTEXT_EXACT, &out), ERR_INVAL);
		assert_err(vntext_order_key(cases[i].text, &out), ERR_INVAL);
		assert_false(vntext_is_nfc(cases[i].text));
		assert_string_equal(buf_cstr(&out), "kept");
		buf_clear(&out);
	}
}

static void marks_in_a_row_are_limited(UNUSED_STATE)
{
	struct buf text = {0};
	struct buf out = {0};

	buf_append_str(&text, "a");
	for (unsigned i = 0; i < VNTEXT_MAX_MARKS; i++)
		buf_append_str(&text, i % 2 == 0 ? "\u0301" : "\u0323");

	assert_ok(vntext_nfc(buf_bytes(&text), &out));
	buf_append_str(&text, "\u0323");
	assert_err(vntext_nfc(buf_bytes(&text), &out), ERR_INVAL);
	assert_false(vntext_is_nfc(buf_bytes(&text)));
	buf_clear(&text);
	buf_clear(&out);
}

static void length_counts_characters(UNUSED_STATE)
{
	assert_int_equal(vntext_length(bytes_str("")), 0);
	assert_int_equal(vntext_length(bytes_str("Đắk Lắk")), 7);
}

static void names_that_differ_by_a_tone_meet_only_without_tones(UNUSED_STATE)
{
	assert_false(keys_are_equal("Xã Lộc Thành", "Xã Lộc Thạnh", VNTEXT_EXACT));
	assert_true(keys_are_equal("Xã Lộc Thành", "Xã Lộc Thạnh", VNTEXT_TONELESS));
	assert_true(keys_are_equal("Xã Lộc Thành", "Xã Lộc Thạnh", VNTEXT_FOLD));
	assert_key("Xã Lộc Thành", VNTEXT_EXACT, "xã lộc thành");
	assert_key("Xã Lộc Thạnh", VNTEXT_TONELESS, "xa lôc thanh");
	assert_key("Xã Lộc Thạnh", VNTEXT_FOLD, "xa loc thanh");
}

static void letters_that_differ_meet_only_in_the_fold(UNUSED_STATE)
{
	assert_false(keys_are_equal("Đông", "Dong", VNTEXT_TONELESS));
	assert_false(keys_are_equal("Tư", "Tu", VNTEXT_TONELESS));
	assert_true(keys_are_equal("Đông", "dong", VNTEXT_FOLD));
	assert_true(keys_are_equal("ĐÔNG", "đông", VNTEXT_EXACT));
}

static void strangers_are_not_taken_for_the_letter_d(UNUSED_STATE)
{
	static const char *const strangers[] = {"\u00f0", "\u00d0", "\u0189", "\u0256"};

	for (size_t i = 0; i < sizeof strangers / sizeof strangers[0]; i++) {
		assert_nfc(strangers[i], strangers[i]);
		assert_false(keys_are_equal(strangers[i], "đ", VNTEXT_EXACT));
		assert_false(keys_are_equal(strangers[i], "đ", VNTEXT_TONELESS));
		assert_false(keys_are_equal(strangers[i], "đ", VNTEXT_FOLD));
		assert_true(order_of(bytes_str(strangers[i]), bytes_str("đ")) > 0);
	}
	assert_key("Đđ", VNTEXT_EXACT, "đđ");
	assert_key("Đđ", VNTEXT_FOLD, "dd");
}

static void apostrophes_of_upland_names_are_one(UNUSED_STATE)
{
	assert_key("Xã Ch'ơm", VNTEXT_EXACT, "xã ch'ơm");
	assert_key("Xã Ch\u2019ơm", VNTEXT_EXACT, "xã ch'ơm");
	assert_key("M\u02bcDrắk", VNTEXT_TONELESS, "m'drăk");
	assert_key("M'Drắk", VNTEXT_FOLD, "mdrak");
	assert_true(keys_are_equal("M'Drắk", "Mdrak", VNTEXT_FOLD));
	assert_int_equal(order_of(bytes_str("Ch'ơm"), bytes_str("Ch\u2019ơm")), 0);
}

static void spaces_and_invisible_characters_are_tidied_in_keys(UNUSED_STATE)
{
	assert_key(" \t Lộc\u00a0\u00a0 Ninh\r\n", VNTEXT_EXACT, "lộc ninh");
	assert_key("Lộc\u200b Ninh\ufeff", VNTEXT_EXACT, "lộc ninh");
	assert_key("Phan Rang \u2013 Tháp Chàm", VNTEXT_FOLD, "phan rang - thap cham");
	assert_key("3 \u2212 2", VNTEXT_EXACT, "3 - 2");
	assert_key("   ", VNTEXT_FOLD, "");
	assert_key("a ' b", VNTEXT_FOLD, "a b");
	assert_key("' b", VNTEXT_FOLD, "b");
}

static void a_key_is_appended(UNUSED_STATE)
{
	struct buf out = {0};

	buf_append_str(&out, "x");
	assert_ok(vntext_key(bytes_str(" Á b"), VNTEXT_FOLD, &out));

	assert_string_equal(buf_cstr(&out), "xa b");
	buf_clear(&out);
}

static void foreign_letters_fold_to_plain_ones(UNUSED_STATE)
{
	assert_key("Señor Čapek", VNTEXT_FOLD, "senor capek");
	assert_key("Señor", VNTEXT_TONELESS, "señor");
	assert_key("ﬁ Ａ", VNTEXT_FOLD, "fi a");
	assert_key("日本", VNTEXT_FOLD, "日本");
}

static void assert_ascending(const char *const *texts, size_t count)
{
	for (size_t i = 1; i < count; i++) {
		print_message("%s < %s\n", texts[i - 1], texts[i]);
		assert_true(order_of(bytes_str(texts[i - 1]), bytes_str(texts[i])) < 0);
	}
}

static void shorter_texts_and_lower_case_come_first(UNUSED_STATE)
{
	static const char *const texts[] = {"an", "An", "AN", "an ba", "An Ba", "án", "ana", "ăn"};

	assert_ascending(texts, sizeof texts / sizeof texts[0]);
}

static void case_breaks_a_tie_only_at_the_very_end(UNUSED_STATE)
{
	assert_true(order_of(bytes_str("An an"), bytes_str("an ba")) < 0);
}

static void numbers_are_in_order_of_value(UNUSED_STATE)
{
	static const char *const texts[] = {"Phường",      "Phường 1",  "Phường 2",
					    "Phường 2 An", "Phường 10", "Phường 100",
					    "Phường An",   "Phường ñ",  "Phường ð"};

	assert_ascending(texts, sizeof texts / sizeof texts[0]);
	assert_int_equal(order_of(bytes_str("Phường 02"), bytes_str("Phường 2")), 0);
}

static void width_is_in_columns_of_a_terminal(UNUSED_STATE)
{
	assert_int_equal(vntext_width(bytes_str("")), 0);
	assert_int_equal(vntext_width(bytes_str("Đắk Lắk")), 7);
	assert_int_equal(vntext_width(bytes_str("Lo\u0323\u0302c")), 3);
	assert_int_equal(vntext_width(bytes_str("日本")), 4);
	assert_int_equal(vntext_width(BYTES_LIT("a\xff\xfe")), 3);
}

static void fit_never_cuts_a_letter(UNUSED_STATE)
{
	struct bytes text = bytes_str("Lo\u0323\u0302c");

	assert_int_equal(vntext_fit(text, 0), 0);
	assert_int_equal(vntext_fit(text, 1), 1);
	assert_int_equal(vntext_fit(text, 2), 6);
	assert_int_equal(vntext_fit(text, 3), text.len);
	assert_int_equal(vntext_fit(text, 99), text.len);
	assert_int_equal(vntext_fit(bytes_str("日本"), 3), 3);
}

static void what_is_shown_cannot_steer_the_terminal(UNUSED_STATE)
{
	struct buf out = {0};

	vntext_show(BYTES_LIT("a\x1b[31m\r\nb\x7f\xc2\x9b\xff \xe2\x80\xae"
			      "Đ\xe1\xbb"),
		    &out);

	assert_string_equal(buf_cstr(&out), "a [31m  b  \ufffd \ufffdĐ\ufffd\ufffd");
	buf_reset(&out);
	vntext_show(bytes_str("\u2066a\u2069\u200f\u061c\u2028"), &out);
	assert_string_equal(buf_cstr(&out), "\ufffda\ufffd\ufffd\ufffd ");
	buf_clear(&out);
}

/* Random texts of letters and marks: composing is stable and keys do not see how. */
static void composing_random_text_is_stable(UNUSED_STATE)
{
	static const char *const pieces[] = {
		"a", "ê", "Ô",      "ư",      "o",      "y",      "q",      "u",      " ",
		"đ", "7", "\u0301", "\u0300", "\u0309", "\u0323", "\u0302", "\u031b", "’"};
	const char *given = getenv("CTXH_SEED");
	uint64_t seed = given != NULL ? strtoull(given, NULL, 10) : rand_u64(rand_system());
	struct rand rand;

	print_message("CTXH_SEED=%llu\n", (unsigned long long)seed);
	rand_seeded_init(&rand, seed);
	for (int round = 0; round < 2000; round++) {
		struct buf text = {0};
		struct buf once = {0};
		struct buf twice = {0};

		for (uint64_t n = rand_below(&rand, 12); n != 0; n--)
			buf_append_str(&text, pieces[rand_below(&rand, 18)]);
		assert_ok(vntext_nfc(buf_bytes(&text), &once));
		assert_ok(vntext_nfc(buf_bytes(&once), &twice));
		assert_true(bytes_equal(buf_bytes(&once), buf_bytes(&twice)));
		assert_true(keys_are_equal(buf_cstr(&text), buf_cstr(&once), VNTEXT_EXACT));
		assert_int_equal(order_of(buf_bytes(&text), buf_bytes(&once)), 0);
		buf_clear(&text);
		buf_clear(&once);
		buf_clear(&twice);
	}
}

/* The same in two walks. */
static bool is_clean_by_parts(struct bytes text, bool has_lines)
{
	for (size_t i = 0; i < text.len; i++) {
		uint8_t c = text.data[i];

		if (has_lines && (c == '\n' || c == '\t'))
			continue;
		if (c < 0x20 || c == 0x7f)
			return false;
		if (c == 0xc2 && i + 1 < text.len && text.data[i + 1] < 0xa0)
			return false;
	}
	return vntext_is_nfc(text);
}

static void clean_text_is_nfc_without_control_characters(UNUSED_STATE)
{
	static const char *const pieces[] = {"a",      "ế",      "đ",      " ",      "\n",
					     "\t",     "\r",     "\x1b",   "\x7f",   "\xc2\x85",
					     "\u00a0", "\u0301", "\u0323", "\u6f22", "\xff",
					     "\xe1",   "\xc2",   "₫",      "Trần",   "Điểu K’Ré"};
	const char *given = getenv("CTXH_SEED");
	uint64_t seed = given != NULL ? strtoull(given, NULL, 10) : rand_u64(rand_system());
	struct rand rand;
	size_t clean = 0;

	print_message("CTXH_SEED=%llu\n", (unsigned long long)seed);
	rand_seeded_init(&rand, seed);
	for (int round = 0; round < 20000; round++) {
		struct buf text = {0};

		for (uint64_t n = rand_below(&rand, 6); n != 0; n--)
			buf_append_str(&text, pieces[rand_below(&rand, 20)]);
		for (int has_lines = 0; has_lines < 2; has_lines++) {
			bool is_clean = vntext_is_clean(buf_bytes(&text), has_lines != 0);

			assert_int_equal(is_clean,
					 is_clean_by_parts(buf_bytes(&text), has_lines != 0));
			clean += is_clean;
		}
		buf_clear(&text);
	}
	assert_in_range(clean, 1000, 39000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_letter_composes_and_folds_as_the_table_says),
		cmocka_unit_test(every_pair_of_letters_is_in_the_tables_order),
		cmocka_unit_test(names_are_in_the_dictionarys_order_and_not_in_the_other),
		cmocka_unit_test(the_place_of_the_tone_mark_does_not_matter),
		cmocka_unit_test(the_tone_mark_moves_only_where_two_styles_exist),
		cmocka_unit_test(words_of_unit_names_are_stable),
		cmocka_unit_test(every_unit_name_is_stable_where_lists_are_given),
		cmocka_unit_test(decomposed_and_half_composed_input_is_mended),
		cmocka_unit_test(marks_after_settled_letters_are_seen),
		cmocka_unit_test(what_is_not_utf8_is_refused),
		cmocka_unit_test(marks_in_a_row_are_limited),
		cmocka_unit_test(length_counts_characters),
		cmocka_unit_test(names_that_differ_by_a_tone_meet_only_without_tones),
		cmocka_unit_test(letters_that_differ_meet_only_in_the_fold),
		cmocka_unit_test(strangers_are_not_taken_for_the_letter_d),
		cmocka_unit_test(apostrophes_of_upland_names_are_one),
		cmocka_unit_test(spaces_and_invisible_characters_are_tidied_in_keys),
		cmocka_unit_test(a_key_is_appended),
		cmocka_unit_test(foreign_letters_fold_to_plain_ones),
		cmocka_unit_test(shorter_texts_and_lower_case_come_first),
		cmocka_unit_test(case_breaks_a_tie_only_at_the_very_end),
		cmocka_unit_test(numbers_are_in_order_of_value),
		cmocka_unit_test(width_is_in_columns_of_a_terminal),
		cmocka_unit_test(fit_never_cuts_a_letter),
		cmocka_unit_test(what_is_shown_cannot_steer_the_terminal),
		cmocka_unit_test(composing_random_text_is_stable),
		cmocka_unit_test(clean_text_is_nfc_without_control_characters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

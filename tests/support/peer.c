/*
 * peer - a device that does what it is told on standard input, right or wrong, and prints what
 * the daemon answered: "STATUS CODE" of a refusal, or "200 ok" and the results of changes.
 *
 * usage: peer INVITATION     then one word a line: see `acts` below
 */
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "tests/support/device.h"

#define WORD_MAX 64u

static struct device dev;
static struct buf last_request; /* for a replay */
static struct buf last_set;     /* to send it again */

#define BULK_CHANGES 20u
#define BULK_BYTES   30000u /* of text in each */

static void print_answer(struct device_answer *answer)
{
	AUTO(arena_clear) struct arena a = {0};
	struct bytes message;
	struct msg_refusal refusal;
	struct msg_synced synced;
	enum err e = msg_answer_open(&a, buf_bytes(&answer->body), &message);

	printf("%ld", answer->status);
	if (e == ERR_OK && answer->status == 200) {
		e = msg_synced_decode(&a, message, &synced);
		printf(e == ERR_OK ? " ok" : " unreadable");
		for (size_t i = 0; e == ERR_OK && i < synced.result_count; i++)
			printf(" %llu:%.*s%s", (unsigned long long)synced.results[i].number,
			       BYTES_FMT(synced.results[i].code),
			       synced.results[i].is_quarantined ? "(quarantined)" : "");
	} else if (e == ERR_OK && msg_refusal_decode(&a, message, &refusal) == ERR_OK) {
		printf(" %.*s expected=%llu", BYTES_FMT(refusal.code),
		       (unsigned long long)refusal.expected);
	} else {
		printf(" -");
	}
	printf("\n");
	fflush(stdout);
}

static void post(struct bytes body)
{
	struct device_answer answer;
	enum err e = device_post(&dev, "/v1/sync", body, &answer);

	if (e != ERR_OK)
		printf("0 %s\n", err_name(e));
	else
		print_answer(&answer);
	fflush(stdout);
	device_answer_clear(&answer);
}

/* One person with the given extra write (name NULL: none), as the next change-set. */
static void seal_person(struct arena *a, int64_t unit, const char *name, struct value value,
			struct buf *out)
{
	struct write *writes = arena_alloc_array(a, 3, sizeof *writes);
	struct change c = {.type = BYTES_LIT("person"),
			   .id = id_new(clock_system(), rand_system()),
			   .author = BYTES_LIT("Người lạ"),
			   .writes = writes};

	writes[c.count++] =
		(struct write){BYTES_LIT("full_name"), value_text(BYTES_LIT("Tên Thử"))};
	writes[c.count++] = (struct write){BYTES_LIT("unit"), value_int(unit)};
	if (name != NULL)
		writes[c.count++] = (struct write){bytes_str(name), value};
	if (!change_sort(&c) || device_seal(&dev, &c, 1, out) != ERR_OK) {
		fprintf(stderr, "cannot seal: %s\n", log_last_detail());
		exit(EXIT_FAILURE);
	}
}

static void send_set(struct bytes wire, struct buf *envelope)
{
	struct msg_sync m = {.epoch = dev.epoch,
			     .sent_ms = device_now(&dev),
			     .client_version = BYTES_LIT("peer"),
			     .changesets = &wire,
			     .changeset_count = wire.len != 0};

	device_envelope(&dev, &m, envelope);
}

static void push_person(int64_t unit, const char *name, struct value value)
{
	AUTO(arena_clear) struct arena a = {0};
	AUTO(buf_clear) struct buf wire = {0};

	seal_person(&a, unit, name, value, &wire);
	buf_reset(&last_set);
	buf_append_bytes(&last_set, buf_bytes(&wire));
	buf_reset(&last_request);
	send_set(buf_bytes(&wire), &last_request);
	post(buf_bytes(&last_request));
}

static void act_good(void)
{
	push_person(dev.units[0], NULL, VALUE_NONE);
}

static void act_idle(void)
{
	buf_reset(&last_request);
	send_set(BYTES_NONE, &last_request);
	post(buf_bytes(&last_request));
}

/* The change-set before, unchanged, in a new request: what a client does after a refusal. */
static void act_again(void)
{
	buf_reset(&last_request);
	send_set(buf_bytes(&last_set), &last_request);
	post(buf_bytes(&last_request));
}

/* A change of a person with much text that does not pack well. */
static struct change bulky(struct arena *a)
{
	static const char digits[] =
		"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-_";
	struct write *writes = arena_alloc_array(a, 3, sizeof *writes);
	uint8_t *text = arena_alloc(a, BULK_BYTES);
	struct change c = {.type = BYTES_LIT("person"),
			   .id = id_new(clock_system(), rand_system()),
			   .author = BYTES_LIT("Người lạ"),
			   .writes = writes};

	rand_fill(rand_system(), text, BULK_BYTES);
	for (size_t i = 0; i < BULK_BYTES; i++)
		text[i] = (uint8_t)digits[text[i] & 63];
	writes[c.count++] = (struct write){BYTES_LIT("full_name"), value_text(BYTES_LIT("Dài"))};
	writes[c.count++] = (struct write){BYTES_LIT("unit"), value_int(dev.units[0])};
	writes[c.count++] = (struct write){BYTES_LIT("what_nobody_knows"),
					   value_text(bytes_of(text, BULK_BYTES))};
	(void)change_sort(&c);
	return c;
}

static void act_bulk(void)
{
	AUTO(arena_clear) struct arena a = {0};
	struct change changes[BULK_CHANGES];

	for (size_t i = 0; i < BULK_CHANGES; i++)
		changes[i] = bulky(&a);
	buf_reset(&last_set);
	if (device_seal(&dev, changes, BULK_CHANGES, &last_set) != ERR_OK) {
		fprintf(stderr, "cannot seal: %s\n", log_last_detail());
		exit(EXIT_FAILURE);
	}
	act_again();
}

static void act_unknown_field(void)
{
	push_person(dev.units[0], "favourite_colour", value_text(BYTES_LIT("xanh")));
}

static void act_wrong_type(void)
{
	push_person(dev.units[0], "phone", value_int(42));
}

static void act_no_such_code(void)
{
	push_person(dev.units[0], "sex", value_text(BYTES_LIT("không có mã này")));
}

static void act_out_of_scope(void)
{
	push_person(dev.units[0] + 50, NULL, VALUE_NONE);
}

static void act_clock_2099(void)
{
	int64_t ms = 0;

	if (clock_parse_iso("2099-01-01", 10, &ms) != ERR_OK)
		return;
	dev.clock_off_ms = ms - clock_wall_ms(clock_system());
	act_good();
	dev.clock_off_ms = 0;
}

static void act_replay(void)
{
	post(buf_bytes(&last_request));
}

static void act_repeat(void)
{
	/* The same change-set in a new request: idempotent. */
	AUTO(arena_clear) struct arena a = {0};
	AUTO(buf_clear) struct buf wire = {0};
	AUTO(buf_clear) struct buf again = {0};

	seal_person(&a, dev.units[0], NULL, VALUE_NONE, &wire);
	send_set(buf_bytes(&wire), &again);
	post(buf_bytes(&again));
	buf_reset(&again);
	send_set(buf_bytes(&wire), &again);
	post(buf_bytes(&again));
}

static void act_gap(void)
{
	uint64_t next = dev.next;
	struct hash chain = dev.chain;

	dev.next += 5;
	act_good();
	dev.next = next;
	dev.chain = chain;
}

static void act_fork(void)
{
	/* The number before, with other content: what a rolled-back disk does. */
	uint64_t next = dev.next;

	if (next == 1)
		return;
	dev.next = next - 1;
	act_good();
}

static void act_garbage(void)
{
	uint8_t noise[1024];

	rand_fill(rand_system(), noise, sizeof noise);
	noise[0] = 0xc1; /* the one byte msgpack never uses */
	post(bytes_of(noise, sizeof noise));
}

static void act_empty(void)
{
	post(BYTES_NONE);
}

static void act_bomb(void)
{
	post(bytes_of("\xdd\xff\xff\xff\xff", 5));
}

static void act_truncated(void)
{
	AUTO(arena_clear) struct arena a = {0};
	AUTO(buf_clear) struct buf wire = {0};
	AUTO(buf_clear) struct buf envelope = {0};
	uint64_t next = dev.next;
	struct hash chain = dev.chain;

	seal_person(&a, dev.units[0], NULL, VALUE_NONE, &wire);
	send_set(buf_bytes(&wire), &envelope);
	dev.next = next;
	dev.chain = chain;
	post(bytes_of(envelope.data, envelope.len / 2));
}

/* A version of the frame that nobody knows yet. */
static void act_version_2(void)
{
	AUTO(buf_clear) struct buf envelope = {0};

	send_set(BYTES_NONE, &envelope);
	envelope.data[1] = 2; /* behind the head of the array */
	post(buf_bytes(&envelope));
}

static void act_too_long(void)
{
	AUTO(mem_free) uint8_t *body = mem_alloc_zero(LIMIT_REQUEST_BYTES + 1);

	post(bytes_of(body, LIMIT_REQUEST_BYTES + 1));
}

static void act_wrong_signature(void)
{
	struct sign_pair mine = dev.key;

	sign_pair_new(rand_system(), &dev.key);
	act_idle();
	dev.key = mine;
}

/* The envelope is right, the change-set inside is signed by somebody else. */
static void act_foreign_changeset(void)
{
	AUTO(arena_clear) struct arena a = {0};
	AUTO(buf_clear) struct buf wire = {0};
	struct sign_pair mine = dev.key;
	uint64_t next = dev.next;
	struct hash chain = dev.chain;

	sign_pair_new(rand_system(), &dev.key);
	seal_person(&a, dev.units[0], NULL, VALUE_NONE, &wire);
	dev.key = mine;
	dev.next = next;
	dev.chain = chain;
	buf_reset(&last_request);
	send_set(buf_bytes(&wire), &last_request);
	post(buf_bytes(&last_request));
}

static void act_unknown_device(void)
{
	uint32_t mine = dev.number;

	dev.number = 999999;
	act_idle();
	dev.number = mine;
}

static const struct {
	const char *word;
	void (*run)(void);
} acts[] = {
	{"good", act_good},
	{"idle", act_idle},
	{"again", act_again},
	{"bulk", act_bulk},
	{"unknown_field", act_unknown_field},
	{"wrong_type", act_wrong_type},
	{"no_such_code", act_no_such_code},
	{"out_of_scope", act_out_of_scope},
	{"clock_2099", act_clock_2099},
	{"replay", act_replay},
	{"repeat", act_repeat},
	{"gap", act_gap},
	{"fork", act_fork},
	{"garbage", act_garbage},
	{"empty", act_empty},
	{"bomb", act_bomb},
	{"truncated", act_truncated},
	{"version_2", act_version_2},
	{"too_long", act_too_long},
	{"wrong_signature", act_wrong_signature},
	{"foreign_changeset", act_foreign_changeset},
	{"unknown_device", act_unknown_device},
};

static void act(const char *word)
{
	for (size_t i = 0; i < sizeof acts / sizeof *acts; i++) {
		if (strcmp(acts[i].word, word) == 0) {
			acts[i].run();
			return;
		}
	}
	printf("? no such word: %s\n", word);
	fflush(stdout);
}

int main(int argc, char **argv)
{
	char word[WORD_MAX];

	if (argc != 2 || crypt_init() != ERR_OK) {
		fprintf(stderr, "usage: peer INVITATION\n");
		return 2;
	}
	curl_global_init(CURL_GLOBAL_DEFAULT);
	device_init(&dev, rand_system());
	if (device_enrol(&dev, argv[1], "peer") != ERR_OK) {
		printf("enrolment failed: %s\n", log_last_detail());
		return EXIT_FAILURE;
	}
	printf("device %u\n", dev.number);
	fflush(stdout);
	while (fgets(word, sizeof word, stdin) != NULL) {
		word[strcspn(word, "\n")] = '\0';
		act(word);
	}
	buf_clear(&last_request);
	buf_clear(&last_set);
	device_clear(&dev);
	curl_global_cleanup();
	return EXIT_SUCCESS;
}

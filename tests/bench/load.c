/*
 * load - many devices in one process that speak the real protocol to any daemon.
 *
 * usage: load enrol INVITATIONS DEVICES
 *        load push DEVICES [--first N] [--count N] [--sets N] [--changes N] [--within SECONDS]
 *             [--connections N] [--updates PERCENT] [--shared PERCENT] [--seed N]
 *             [--reuse 0|1] [--mix 0|1]
 *        load pull DEVICES [--first N] [--count N]
 *
 * `enrol` takes a file of invitations, one a line, and writes a file of devices that `push` and
 * `pull` go on with: keys, numbers, chains, counters, cursors, how many records each has made.
 * `push` seals every change-set before the clock starts (people and their names, PERCENT of them
 * updates of anything the device ever made, or of forty records that all devices write; with --mix
 * 1 of ten records four are people, one a category of theirs and five help to them), then each
 * device makes contact at its moment within SECONDS, as a client does: requests are signed as they
 * are sent, cursors taken from the answers, receipts verified, "come again" waited for and obeyed,
 * connections used again as long as the daemon keeps them (with --reuse 0 each contact has one of
 * its own, as a client has that syncs and goes). `pull` is a first sync of each device, one after
 * the other. Prints one JSON object. An answer's time runs from the moment the device wanted to
 * send to the receipt, waiting for a free connection and refusals included.
 */
#include <curl/curl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "tests/bench/people.h"
#include "tests/support/device.h"

#define LINE_MAX_LEN   1024u
#define CURSORS_MAX    64u
#define SHARED_COUNT   40u
#define BORN_BEFORE_MS 3600000
#define WAIT_MS        20
#define RETRY_DEFAULT  1000 /* ms, when a refusal names no time */
#define TRIES_MOST     100u /* of one request */

/* What is kept of a device between runs. */
struct kept {
	struct device device;
	struct msg_cursor cursors[CURSORS_MAX];
	size_t cursor_count;
	uint64_t notice;
	int64_t born_ms; /* of its first record's id */
	uint64_t made;   /* records of its own */
};

/* The records all write are nobody's own: as of a device with number 0. */
static const struct kept commune = {.born_ms = INT64_C(1767225600000)};

struct load_device {
	struct kept kept;
	struct rand rand;
	struct buf *sets;
	size_t done;       /* sets acknowledged */
	bool is_idle;      /* nothing left to do */
	bool is_pulling;   /* more waits for it */
	int64_t wanted_ms; /* when the present request was first wanted; monotonic */
	int64_t due_ms;    /* when to try */
	unsigned tries;
	struct buf wire;
	struct device_answer answer;
};

static struct {
	size_t first;
	size_t count;
	size_t sets;
	size_t changes;
	size_t within;
	size_t connections;
	size_t updates;
	size_t mix;
	size_t shared;
	size_t seed;
	size_t reuse;
} options = {.count = SIZE_MAX,
	     .sets = 1,
	     .changes = 100,
	     .connections = 100,
	     .updates = 20,
	     .shared = 2,
	     .seed = 1,
	     .reuse = 1};

static struct {
	struct load_device *devices;
	size_t count;
	CURLM *multi;
	size_t in_flight;
	size_t *took_ms; /* of every push answered */
	size_t took_count;
	size_t refused; /* "come again" */
	size_t failed;
	size_t pulls;
	size_t records;
} load;

static void fail(const char *what)
{
	fprintf(stderr, "load: %s: %s\n", what, log_last_detail());
	exit(EXIT_FAILURE);
}

/* ---- the file of devices ---- */

static void write_devices(const char *path)
{
	FILE *f = fopen(path, "wb");

	if (f == NULL)
		fail(path);
	for (size_t i = 0; i < load.count; i++) {
		if (fwrite(&load.devices[i].kept, sizeof(struct kept), 1, f) != 1)
			fail(path);
	}
	if (fclose(f) != 0)
		fail(path);
}

static void read_devices(const char *path)
{
	FILE *f = fopen(path, "rb");
	struct kept kept;

	if (f == NULL)
		fail(path);
	while (fread(&kept, sizeof kept, 1, f) == 1) {
		load.devices = mem_realloc(load.devices, (load.count + 1) * sizeof *load.devices);
		load.devices[load.count] = (struct load_device){.kept = kept};
		load.devices[load.count].kept.device.curl = NULL;
		load.devices[load.count].kept.device.headers = NULL;
		load.count++;
	}
	fclose(f);
	if (options.first > load.count)
		options.first = load.count;
	if (options.count > load.count - options.first)
		options.count = load.count - options.first;
}

/* ---- enrol ---- */

static int enrol(const char *invitations, const char *path)
{
	char line[LINE_MAX_LEN];
	FILE *f = fopen(invitations, "r");
	CURL *curl = curl_easy_init();

	if (f == NULL)
		fail(invitations);
	while (fgets(line, sizeof line, f) != NULL) {
		struct device d;

		line[strcspn(line, "\n")] = '\0';
		device_init(&d, rand_system());
		/* One connection for all. */
		curl_easy_cleanup(d.curl);
		d.curl = curl;
		if (device_enrol(&d, line, "load") != ERR_OK)
			fail("enrol");
		load.devices = mem_realloc(load.devices, (load.count + 1) * sizeof *load.devices);
		load.devices[load.count++] = (struct load_device){
			.kept = {.device = d, .born_ms = device_now(&d) - BORN_BEFORE_MS}};
	}
	fclose(f);
	curl_easy_cleanup(curl);
	write_devices(path);
	printf("{\"enrolled\": %zu}\n", load.count);
	return EXIT_SUCCESS;
}

/* ---- what is pushed ---- */

/*
 * The i-th record a device ever made: the same id in every run, so that an update can be of
 * anything it holds. Ids of all devices lie between each other, in the order of time.
 */
static struct id record_id(const struct kept *k, uint64_t index)
{
	struct clock_fake at;
	struct rand r;

	clock_fake_init(&at, k->born_ms + (int64_t)index);
	rand_seeded_init(&r, ((uint64_t)k->device.number << 32) + index);
	return id_new(&at.clock, &r);
}

/* By `--mix`: what its index among the device's records says. */
static void fill_mixed(struct arena *a, struct load_device *ld, uint64_t index, bool is_update,
		       struct change *c)
{
	const struct device *d = &ld->kept.device;
	uint64_t group = index - index % PEOPLE_GROUP;
	struct id person = record_id(&ld->kept, group + rand_below(&ld->rand, PEOPLE_PERSONS));

	if (is_update)
		people_mixed_edit(a, &ld->rand, index, c);
	else
		people_mixed(a, &ld->rand, d->units[d->unit_count - 1], index, &person, c);
}

/* The first unit granted is the one all share, where the shared records are. */
static struct change make_change(struct arena *a, struct load_device *ld)
{
	struct kept *k = &ld->kept;
	const struct device *d = &k->device;
	bool is_shared = d->unit_count > 1 && rand_below(&ld->rand, 100) < options.shared;
	bool is_update = k->made > 0 && rand_below(&ld->rand, 100) < options.updates;
	struct change c = {.type = BYTES_LIT("person"), .author = BYTES_LIT("Người thử")};
	uint64_t index = 0;

	if (is_shared) {
		c.id = record_id(&commune, rand_below(&ld->rand, SHARED_COUNT));
	} else {
		index = is_update ? rand_below(&ld->rand, k->made) : k->made++;
		c.id = record_id(k, index);
	}
	if (options.mix != 0 && !is_shared) {
		fill_mixed(a, ld, index, is_update, &c);
	} else {
		c.writes = people_writes(a, &ld->rand, d->units[is_shared ? 0 : d->unit_count - 1]);
		c.count = PEOPLE_FIELDS + 1;
	}
	return c;
}

static void seal_sets(struct load_device *ld)
{
	ld->sets = mem_alloc_array(options.sets, sizeof *ld->sets);
	for (size_t set = 0; set < options.sets; set++) {
		AUTO(arena_clear) struct arena a = {0};
		struct change *changes = arena_alloc_array(&a, options.changes, sizeof *changes);

		for (size_t i = 0; i < options.changes; i++)
			changes[i] = make_change(&a, ld);
		if (device_seal(&ld->kept.device, changes, options.changes, &ld->sets[set]) !=
		    ERR_OK)
			fail("seal");
	}
}

/* ---- one contact ---- */

static int64_t now_ms(void)
{
	return clock_monotonic_ms(clock_system());
}

static void begin(struct load_device *ld)
{
	struct device *d = &ld->kept.device;
	struct bytes set = ld->is_pulling ? BYTES_NONE : buf_bytes(&ld->sets[ld->done]);
	struct msg_sync m = {.epoch = d->epoch,
			     .sent_ms = device_now(d),
			     .client_version = BYTES_LIT("load"),
			     .notice = ld->kept.notice,
			     .is_first_pull = options.sets == 0,
			     .cursors = ld->kept.cursors,
			     .cursor_count = ld->kept.cursor_count,
			     .changesets = &set,
			     .changeset_count = ld->is_pulling ? 0 : 1};

	if (d->curl == NULL) {
		d->curl = curl_easy_init();
		curl_easy_setopt(d->curl, CURLOPT_PRIVATE, ld);
		curl_easy_setopt(d->curl, CURLOPT_FRESH_CONNECT, options.reuse == 0 ? 1L : 0L);
		curl_easy_setopt(d->curl, CURLOPT_FORBID_REUSE, options.reuse == 0 ? 1L : 0L);
	}
	buf_reset(&ld->wire);
	device_envelope(d, &m, &ld->wire);
	device_post_begin(d, "/v1/sync", buf_bytes(&ld->wire), &ld->answer);
	if (curl_multi_add_handle(load.multi, d->curl) != CURLM_OK)
		fail("curl");
	load.in_flight++;
	ld->tries++;
}

static void take_cursors(struct kept *k, const struct msg_synced *m)
{
	for (size_t i = 0; i < m->cursor_count; i++) {
		size_t at = 0;

		while (at < k->cursor_count && k->cursors[at].unit != m->cursors[i].unit)
			at++;
		if (at == CURSORS_MAX)
			fail("a device with over 64 units");
		if (at == k->cursor_count)
			k->cursor_count++;
		k->cursors[at] = m->cursors[i];
	}
	if (m->notice_count != 0)
		k->notice = m->notices[m->notice_count - 1].notice;
}

static void taken(struct load_device *ld, const struct msg_synced *m)
{
	take_cursors(&ld->kept, m);
	load.records += m->record_count;
	if (ld->is_pulling) {
		load.pulls++;
	} else {
		load.took_ms[load.took_count++] = (size_t)(now_ms() - ld->wanted_ms);
		buf_clear(&ld->sets[ld->done++]);
	}
	ld->is_pulling = m->has_more;
	ld->is_idle = !m->has_more && ld->done == options.sets;
	ld->wanted_ms = ld->due_ms = now_ms();
	ld->tries = 0;
}

static void refused(struct load_device *ld, const struct msg_refusal *refusal)
{
	load.refused++;
	ld->due_ms =
		now_ms() + (refusal->retry_after_s != 0 ? (int64_t)refusal->retry_after_s * 1000
							: RETRY_DEFAULT);
}

static void give_up(struct load_device *ld)
{
	fprintf(stderr, "device %u: %s, status %ld\n", ld->kept.device.number, log_last_detail(),
		ld->answer.status);
	load.failed++;
	ld->is_idle = true;
}

static void end(struct load_device *ld, CURLcode rc)
{
	AUTO(arena_clear) struct arena a = {0};
	struct device *d = &ld->kept.device;
	struct msg_synced synced = {0};
	struct msg_refusal refusal = {0};
	enum err e;

	(void)curl_multi_remove_handle(load.multi, d->curl);
	load.in_flight--;
	e = device_post_end(d, (int)rc, &ld->answer);
	if (e == ERR_OK)
		e = device_read(d, &a, &ld->answer, &synced, &refusal);
	if (e == ERR_OK)
		taken(ld, &synced);
	else if (ld->tries < TRIES_MOST &&
		 (ld->answer.status == 503 || ld->answer.status == 429 || ld->answer.status == 0))
		refused(ld, &refusal);
	else
		give_up(ld);
	device_answer_clear(&ld->answer);
	/* The connection stays in the multi's cache; a handle is heavier than the device. */
	curl_easy_cleanup(d->curl);
	d->curl = NULL;
}

/* ---- all of them ---- */

static bool start_due(size_t from, size_t until)
{
	int64_t now = now_ms();
	bool is_any_left = false;

	for (size_t i = from; i < until; i++) {
		struct load_device *ld = &load.devices[i];

		is_any_left |= !ld->is_idle;
		if (!ld->is_idle && ld->kept.device.curl == NULL && ld->due_ms <= now &&
		    load.in_flight < options.connections)
			begin(ld);
	}
	return is_any_left;
}

static void run(size_t from, size_t until)
{
	int running = 0;

	while (start_due(from, until)) {
		CURLMsg *m;
		int left;

		if (curl_multi_perform(load.multi, &running) != CURLM_OK ||
		    curl_multi_poll(load.multi, NULL, 0, WAIT_MS, NULL) != CURLM_OK)
			fail("curl");
		while ((m = curl_multi_info_read(load.multi, &left)) != NULL) {
			void *ld = NULL;
			CURLcode rc = m->data.result;

			curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, &ld);
			end(ld, rc);
		}
	}
}

static int by_size(const void *a, const void *b)
{
	size_t left = *(const size_t *)a;
	size_t right = *(const size_t *)b;

	return (left > right) - (left < right);
}

static size_t percentile(size_t percent)
{
	if (load.took_count == 0)
		return 0;
	return load.took_ms[(load.took_count - 1) * percent / 100];
}

static double cpu_seconds(void)
{
	struct rusage u;

	getrusage(RUSAGE_SELF, &u);
	return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
	       (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

static void count_bytes(uint64_t *ret_out, uint64_t *ret_in)
{
	for (size_t i = 0; i < load.count; i++) {
		*ret_out += load.devices[i].kept.device.bytes_out;
		*ret_in += load.devices[i].kept.device.bytes_in;
	}
}

static void report(int64_t began_ms, double cpu, uint64_t out, uint64_t in)
{
	double seconds = (double)(now_ms() - began_ms) / 1000.0;
	size_t changes = load.took_count * options.changes;
	uint64_t all_out = 0;
	uint64_t all_in = 0;
	uint64_t made = 0;

	for (size_t i = 0; i < load.count; i++)
		made += load.devices[i].kept.made;
	qsort(load.took_ms, load.took_count, sizeof *load.took_ms, by_size);
	count_bytes(&all_out, &all_in);
	printf("{\"seed\": %zu, \"devices\": %zu, \"changes\": %zu, \"seconds\": %.3f, "
	       "\"changes_per_s\": %.0f, \"p50_ms\": %zu, \"p99_ms\": %zu, \"worst_ms\": %zu, "
	       "\"refused\": %zu, \"failed\": %zu, \"made\": %llu, \"pulls\": %zu, \"records\": %zu, "
	       "\"bytes_out\": %llu, \"bytes_in\": %llu, \"load_cpu_s\": %.2f}\n",
	       options.seed, options.count, changes, seconds,
	       seconds > 0 ? (double)changes / seconds : 0.0, percentile(50), percentile(99),
	       percentile(100), load.refused, load.failed, (unsigned long long)made, load.pulls,
	       load.records, (unsigned long long)(all_out - out), (unsigned long long)(all_in - in),
	       cpu_seconds() - cpu);
}

static int push(const char *path)
{
	size_t until;
	uint64_t out = 0;
	uint64_t in = 0;
	struct rand rand;

	read_devices(path);
	until = options.first + options.count;
	rand_seeded_init(&rand, options.seed);
	load.took_ms = mem_alloc_array(options.count * options.sets + 1, sizeof *load.took_ms);
	for (size_t i = options.first; i < until; i++) {
		rand_seeded_init(&load.devices[i].rand, options.seed * 1000003u + i);
		seal_sets(&load.devices[i]);
	}
	count_bytes(&out, &in);

	double cpu = cpu_seconds();
	int64_t began = now_ms();

	for (size_t i = options.first; i < until; i++) {
		struct load_device *ld = &load.devices[i];

		ld->due_ms = began;
		if (options.within != 0)
			ld->due_ms += (int64_t)rand_below(&rand, options.within * 1000);
		ld->wanted_ms = ld->due_ms;
	}
	run(options.first, until);
	report(began, cpu, out, in);
	write_devices(path);
	return load.failed != 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

/* A first sync is of a device that holds nothing: its cursors are forgotten. */
static int pull(const char *path)
{
	uint64_t out = 0;
	uint64_t in = 0;

	read_devices(path);
	options.sets = 0;
	load.took_ms = mem_alloc_array(1, sizeof *load.took_ms);
	count_bytes(&out, &in);

	double cpu = cpu_seconds();
	int64_t began = now_ms();

	for (size_t i = options.first; i < options.first + options.count; i++) {
		struct load_device *ld = &load.devices[i];

		ld->kept.cursor_count = 0;
		ld->is_pulling = true;
		ld->due_ms = ld->wanted_ms = now_ms();
		run(i, i + 1);
	}
	report(began, cpu, out, in);
	write_devices(path);
	return load.failed != 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

/* ---- the command line ---- */

static const struct option long_options[] = {
	{"first", required_argument, NULL, 0},   {"count", required_argument, NULL, 1},
	{"sets", required_argument, NULL, 2},    {"changes", required_argument, NULL, 3},
	{"within", required_argument, NULL, 4},  {"connections", required_argument, NULL, 5},
	{"updates", required_argument, NULL, 6}, {"shared", required_argument, NULL, 7},
	{"seed", required_argument, NULL, 8},    {"reuse", required_argument, NULL, 9},
	{"mix", required_argument, NULL, 10},    {NULL, 0, NULL, 0},
};

static bool read_options(int argc, char **argv)
{
	size_t *const places[] = {&options.first,   &options.count,  &options.sets,
				  &options.changes, &options.within, &options.connections,
				  &options.updates, &options.shared, &options.seed,
				  &options.reuse,   &options.mix};
	int at;

	_Static_assert(sizeof places / sizeof *places ==
			       sizeof long_options / sizeof *long_options - 1,
		       "an option without a place");
	while ((at = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
		char *rest = NULL;

		if (at == '?')
			return false;
		*places[at] = strtoul(optarg, &rest, 10);
		if (*rest != '\0')
			return false;
	}
	return options.connections != 0 && options.sets != 0 && options.changes != 0;
}

int main(int argc, char **argv)
{
	const char *command = argc > 2 ? argv[1] : "";
	bool is_right = crypt_init() == ERR_OK && read_options(argc, argv);

	curl_global_init(CURL_GLOBAL_DEFAULT);
	load.multi = curl_multi_init();
	curl_multi_setopt(load.multi, CURLMOPT_MAXCONNECTS, (long)options.connections);
	if (is_right && strcmp(command, "enrol") == 0 && argc - optind == 3)
		return enrol(argv[optind + 1], argv[optind + 2]);
	if (is_right && strcmp(command, "push") == 0 && argc - optind == 2)
		return push(argv[optind + 1]);
	if (is_right && strcmp(command, "pull") == 0 && argc - optind == 2)
		return pull(argv[optind + 1]);
	fprintf(stderr, "usage: load enrol INVITATIONS DEVICES | load push DEVICES [OPTIONS] | "
			"load pull DEVICES [OPTIONS]\n");
	return 2;
}

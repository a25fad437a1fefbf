/* When alerts go out, by which ways, and what is remembered: over a real loop, writer and store,
 * with a clock moved by hand. */
#include "tests/unit/test.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/log.h"
#include "common/base/mem.h"
#include "daemon/alert_sender.h"
#include "daemon/backup.h"
#include "daemon/child.h"
#include "daemon/loop.h"
#include "daemon/metrics.h"
#include "daemon/store_sql.h"
#include "daemon/writer.h"
#include "tests/support/ground.h"

#define HOUR    INT64_C(3600000)
#define MINUTE  INT64_C(60000)
#define MORNING INT64_C(1790035200000) /* 2026-09-22, 07:00 in Viet Nam */

static struct ground g;
static struct config *config;
static struct metrics metrics;
static struct alert_sender *sender;

static void nothing(void *user)
{
	(void)user;
}

static void start(void)
{
	const struct loop_handlers handlers = {nothing, nothing, nothing, NULL};
	const struct writer_options options = {.clock = &g.clock.clock,
					       .metrics = &metrics,
					       .queue = 64,
					       .group_jobs = 8,
					       .wal_pages = 1000};

	metrics = (struct metrics){0};
	g.ctx.metrics = &metrics;
	g.ctx.backup = backup_new(&g.ctx);
	sender = alert_sender_new(&g.ctx);
	g.ctx.alerts = sender;
	assert_ok(alert_sender_remember(sender, g.store));
	assert_ok(readers_open(g.path, g.schema, 1, &g.ctx.readers));
	assert_ok(loop_new(&handlers, &g.ctx.loop));
	g.ctx.writer = writer_start(g.ctx.loop, MOVE(g.store), &options);
}

static void stop(void)
{
	alert_sender_stop(sender);
	loop_finish_tasks(g.ctx.loop);
	g.store = writer_stop(g.ctx.writer);
	loop_free(g.ctx.loop);
	readers_close(g.ctx.readers);
	alert_sender_free(sender);
	backup_free(g.ctx.backup);
	g.ctx.alerts = NULL;
	g.ctx.backup = NULL;
}

static const char *in_folder(const char *name)
{
	return (const char *)arena_printf(&g.a, "%s/%s%c", g.folder, name, '\0').data;
}

static int setup(UNUSED_STATE)
{
	ground_open(&g);
	g.ctx.state = g.folder;
	snprintf(g.ctx.address, sizeof g.ctx.address, "10.0.0.5:8443");
	config = config_new();
	atomic_store(&g.ctx.config, config);
	g.clock.wall = MORNING - HOUR;
	start();
	return 0;
}

static int teardown(UNUSED_STATE)
{
	stop();
	config_free(config);
	ground_close(&g);
	return 0;
}

static void restart(void)
{
	stop();
	start();
}

/* Ticks until nothing more happens: what one begins it ends, and what is not due stays so. */
static void settle(void)
{
	struct alert_sender_state state;

	for (unsigned quiet = 0; quiet < 3;) {
		const uint_fast64_t before = metrics.alerts_total + metrics.alerts_failed_total;

		alert_sender_tick(sender);
		for (unsigned i = 0; i < 50; i++) {
			loop_turn(g.ctx.loop);
			loop_finish_tasks(g.ctx.loop);
			usleep(200);
		}
		alert_sender_look(sender, &state);
		quiet = before == metrics.alerts_total + metrics.alerts_failed_total &&
					state.asked == state.ended
				? quiet + 1
				: 0;
	}
}

/* What a state says once `count` have gone out or failed; waits for the thing itself. */
static void run_until(uint64_t count)
{
	while (metrics.alerts_total + metrics.alerts_failed_total < count) {
		alert_sender_tick(sender);
		loop_turn(g.ctx.loop);
		usleep(1000);
	}
	settle();
}

static void pass(int64_t ms)
{
	g.clock.wall += ms;
	g.clock.monotonic += ms;
}

static size_t file_count(const char *folder)
{
	DIR *dir = opendir(in_folder(folder));
	const struct dirent *d;
	size_t count = 0;

	while (dir != NULL && (d = readdir(dir)) != NULL)
		count += d->d_name[0] != '.';
	if (dir != NULL)
		closedir(dir);
	return count;
}

static bool is_file(const char *name)
{
	return access(in_folder(name), F_OK) == 0;
}

/* A sendmail that does what the text says; its name. */
static char *mailer(const char *text)
{
	const char *path = in_folder("mailer");
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	fprintf(f, "#!/bin/sh\ncd %s\n%s\n", g.folder, text);
	assert_int_equal(fchmod(fileno(f), 0700), 0);
	fclose(f);
	return mem_strdup(path);
}

/* ---- once a day ---- */

static void the_first_comes_at_its_hour_and_not_at_the_first_start(UNUSED_STATE)
{
	settle();
	assert_int_equal(metrics.alerts_total, 0);
	pass(HOUR);
	run_until(1);
	assert_true(is_file("alerts/ctxh-2026-09-22.txt"));
	assert_int_equal(metrics.alert_last_seconds, MORNING / 1000);
}

static void it_comes_once_a_day_also_after_a_restart(UNUSED_STATE)
{
	settle();
	pass(HOUR);
	run_until(1);
	pass(HOUR);
	settle();
	assert_int_equal(metrics.alerts_total, 1);
	restart();
	settle();
	assert_int_equal(metrics.alerts_total, 0);
	assert_int_equal(metrics.alert_last_seconds, MORNING / 1000);
	pass(23 * HOUR);
	run_until(1);
	assert_true(is_file("alerts/ctxh-2026-09-23.txt"));
}

/* As at the first start: who sets a way is not sent what was due before. */
static void a_way_set_later_begins_with_the_next_day(UNUSED_STATE)
{
	settle();
	pass(HOUR);
	run_until(1);
	pass(24 * HOUR);
	run_until(2);
	config->alert.mail_to = mem_strdup("a@soyte.example");
	config->alert.mail_by = mailer("cat > mail");
	settle();
	assert_int_equal(metrics.alerts_total, 2);
	assert_false(is_file("mail"));
	pass(24 * HOUR);
	run_until(4);
	assert_int_equal(metrics.alerts_total, 4);
	assert_true(is_file("mail"));
}

static void what_was_due_while_it_was_down_comes_at_the_start(UNUSED_STATE)
{
	settle();
	pass(HOUR);
	run_until(1);
	stop();
	pass(26 * HOUR);
	start();
	run_until(1);
	assert_true(is_file("alerts/ctxh-2026-09-23.txt"));
}

static void a_clock_that_was_ahead_does_not_put_it_off_for_years(UNUSED_STATE)
{
	settle();
	pass(HOUR);
	run_until(1);
	pass(INT64_C(175200) * HOUR);
	run_until(2);
	pass(INT64_C(-175200) * HOUR);
	settle();
	assert_int_equal(metrics.alerts_total, 2);
	pass(24 * HOUR);
	run_until(3);
	assert_true(is_file("alerts/ctxh-2026-09-23.txt"));
}

static void old_files_go_and_others_stay(UNUSED_STATE)
{
	FILE *f;

	config->alert.keep = 2;
	settle();
	pass(HOUR);
	run_until(1);
	f = fopen(in_folder("alerts/ctxh-ghi-chu.txt"), "w");
	assert_non_null(f);
	fclose(f);
	for (unsigned i = 2; i < 5; i++) {
		pass(24 * HOUR);
		run_until(i);
	}
	assert_int_equal(file_count("alerts"), 3);
	assert_true(is_file("alerts/ctxh-2026-09-25.txt") && is_file("alerts/ctxh-2026-09-24.txt"));
	assert_true(is_file("alerts/ctxh-ghi-chu.txt"));
}

/* ---- ways ---- */

static void a_mail_is_given_to_the_program_on_its_input(UNUSED_STATE)
{
	char line[64] = "";
	FILE *f;

	config->alert.mail_to = mem_strdup("a@soyte.example");
	config->alert.mail_by = mailer("echo \"$#$1$2\" > args; cat > mail");
	settle();
	pass(HOUR);
	run_until(2);

	assert_int_equal(metrics.alerts_total, 2);
	f = fopen(in_folder("args"), "r");
	assert_non_null(fgets(line, sizeof line, f));
	fclose(f);
	assert_string_equal(line, "2-t-i\n");
	f = fopen(in_folder("mail"), "r");
	assert_non_null(fgets(line, sizeof line, f));
	fclose(f);
	assert_string_equal(line, "From: ctxhd\n");
}

static struct alert_way_state mail_state(void)
{
	struct alert_sender_state state;

	alert_sender_look(sender, &state);
	return state.ways[ALERT_WAY_MAIL];
}

static void a_way_that_fails_is_tried_later_and_the_others_are_not_again(UNUSED_STATE)
{
	config->alert.mail_to = mem_strdup("a@soyte.example");
	config->alert.mail_by = mailer("cat >/dev/null; echo 'no such queue' >&2; exit 75");
	settle();
	pass(HOUR);
	run_until(2);
	assert_int_equal(metrics.alerts_total, 1);
	assert_int_equal(metrics.alerts_failed_total, 1);
	assert_int_equal(metrics.alerts_waiting, 1);
	assert_non_null(strstr(mail_state().error, "no such queue"));

	pass(MINUTE - 1);
	settle();
	assert_int_equal(metrics.alerts_failed_total, 1);
	pass(1);
	run_until(3);
	assert_int_equal(metrics.alerts_failed_total, 2);
	mem_free(mailer("cat >/dev/null"));
	pass(5 * MINUTE);
	run_until(4);
	assert_int_equal(metrics.alerts_total, 2);
	assert_int_equal(metrics.alerts_waiting, 0);
	assert_string_equal(mail_state().error, "");
	pass(HOUR);
	settle();
	assert_int_equal(metrics.alerts_total, 2);
}

/* However many bytes of it are kept. */
static void what_a_mailer_says_is_kept_as_text(UNUSED_STATE)
{
	json_t *j;

	config->alert.keep = 0;
	config->alert.mail_to = mem_strdup("a@soyte.example");
	config->alert.mail_by =
		mailer("cat >/dev/null; printf 'x\\377'; printf 'ệ%.0s' $(seq 300); exit 75");
	settle();
	pass(HOUR);
	run_until(1);

	assert_non_null(strstr(mail_state().error, "ệệ"));
	j = json_string(mail_state().error);
	assert_non_null(j);
	json_decref(j);
}

static void tries_end_and_begin_anew_the_next_day(UNUSED_STATE)
{
	config->alert.keep = 0;
	config->alert.mail_to = mem_strdup("a@soyte.example");
	config->alert.mail_by = mem_strdup("/no/such/sendmail");
	settle();
	pass(HOUR);
	for (unsigned i = 1; i <= ALERT_TRIES_MAX; i++) {
		run_until(i);
		pass(HOUR);
	}
	settle();
	assert_int_equal(metrics.alerts_failed_total, ALERT_TRIES_MAX);
	assert_non_null(strstr(mail_state().error, "/no/such/sendmail"));
	pass(24 * HOUR);
	run_until(ALERT_TRIES_MAX + 1);
}

/* Given up for a day is not sent that day. */
static void the_day_shown_is_the_one_that_went_out(UNUSED_STATE)
{
	int64_t day;

	config->alert.mail_to = mem_strdup("a@soyte.example");
	config->alert.mail_by = mailer("cat >/dev/null");
	settle();
	pass(HOUR);
	run_until(2);
	day = mail_state().day;
	assert_int_not_equal(day, 0);
	mem_free(mailer("cat >/dev/null; exit 75"));
	pass(24 * HOUR);
	for (unsigned i = 0; i < ALERT_TRIES_MAX; i++) {
		run_until(4 + i);
		pass(HOUR);
	}
	settle();
	assert_int_equal(metrics.alerts_failed_total, ALERT_TRIES_MAX);

	assert_int_equal(mail_state().day, day);
	assert_int_equal(mail_state().at_ms, MORNING);
}

static void a_program_that_hangs_is_ended_by_a_stop(UNUSED_STATE)
{
	config->alert.keep = 0;
	config->alert.mail_to = mem_strdup("a@soyte.example");
	config->alert.mail_by = mailer("echo $$ > pid; exec sleep 1000");
	settle();
	pass(HOUR);
	while (!is_file("pid")) {
		alert_sender_tick(sender);
		loop_turn(g.ctx.loop);
		usleep(1000);
	}
	/* The teardown would hang, or the sanitizer tell of what is left. */
	restart();
}

static void one_asked_for_does_not_stand_for_the_daily_one(UNUSED_STATE)
{
	struct alert_sender_state seen;

	settle();
	assert_int_equal(alert_sender_ask(sender, ALERT_DAILY), 1);
	assert_int_equal(alert_sender_ask(sender, ALERT_TEST), 2);
	run_until(2);
	alert_sender_look(sender, &seen);
	assert_int_equal(seen.ended, 2);
	assert_int_equal(seen.ways[ALERT_WAY_FILE].asked, ALERT_SENT);
	assert_int_equal(seen.ways[ALERT_WAY_MAIL].asked, ALERT_NOT_TRIED);
	pass(HOUR);
	run_until(3);
	assert_int_equal(metrics.alerts_total, 3);
}

static void too_many_asked_for_at_once_are_refused(UNUSED_STATE)
{
	uint64_t last = 1;

	for (unsigned i = 0; i < 9; i++)
		last = alert_sender_ask(sender, ALERT_TEST);
	assert_int_equal(last, 0);
	run_until(8);
	assert_int_equal(metrics.alerts_total, 8);
}

/* ---- at once ---- */

static void disk_has(uint64_t bytes)
{
	metrics_set(&metrics, disk_free_bytes, bytes);
	atomic_store(&g.ctx.is_disk_known, true);
}

static void a_full_disk_is_told_at_once_and_not_again_too_soon(UNUSED_STATE)
{
	settle();
	disk_has(1000);
	run_until(1);
	assert_int_equal(file_count("alerts"), 1);
	pass(30 * MINUTE);
	settle();
	assert_int_equal(metrics.alerts_total, 1);
	restart();
	disk_has(1000);
	settle();
	assert_int_equal(metrics.alerts_total, 0);
	pass(20 * MINUTE);
	config->alert.urgent_every_ms = 50 * MINUTE;
	run_until(1);
	assert_int_equal(file_count("alerts"), 2);
}

/* Room of none is known, and is not the same as not having looked. */
static void a_disk_without_any_room_is_told(UNUSED_STATE)
{
	struct alert_facts facts;

	settle();
	assert_int_equal(metrics.alerts_total, 0);
	disk_has(0);
	run_until(1);
	alert_sender_facts(&g.ctx, &g.a, &facts);

	assert_true(facts.is_disk_known);
	assert_int_equal(facts.disk_free, 0);
}

static void nothing_is_told_at_once_where_that_is_set(UNUSED_STATE)
{
	config->alert.urgent_every_ms = 0;
	disk_has(1000);
	settle();
	assert_int_equal(metrics.alerts_total, 0);
}

static void set_aside(uint32_t number)
{
	struct ground_device *d = NULL;
	struct store_device device;

	stop();
	for (size_t i = 0; i < g.device_count; i++)
		d = g.devices[i].number == number ? &g.devices[i] : d;
	assert_non_null(d);
	assert_ok(store_begin(g.store));
	assert_ok(store_load_device(g.store, &g.a, number, &device));
	device.id.state = DEVICE_FORKED;
	assert_ok(store_put_device(g.store, &device));
	assert_ok(store_commit(g.store));
	start();
}

static void each_device_set_aside_is_told_once(UNUSED_STATE)
{
	stop();
	(void)ground_device(&g, g.north, false);
	(void)ground_device(&g, g.south, false);
	start();
	settle();
	assert_int_equal(metrics.alerts_total, 0);
	set_aside(1);
	run_until(1);
	restart();
	pass(13 * HOUR);
	config->alert.keep = 100;
	config->alert.hour = 23;
	settle();
	assert_int_equal(metrics.alerts_total, 0);
	set_aside(2);
	run_until(1);
	assert_int_equal(file_count("alerts"), 2);
}

/* The file went out, the mail did not: it is told of the same device when it is tried again. */
static void an_urgent_one_goes_on_by_the_way_that_failed(UNUSED_STATE)
{
	stop();
	(void)ground_device(&g, g.north, false);
	config->alert.mail_to = mem_strdup("a@soyte.example");
	config->alert.mail_by = mailer("cat >/dev/null; exit 75");
	start();
	settle();
	set_aside(1);
	run_until(2);
	assert_int_equal(metrics.alerts_total, 1);
	mem_free(mailer("cat > mail"));
	pass(MINUTE);
	run_until(3);
	assert_int_equal(metrics.alerts_total, 2);
	assert_true(is_file("mail"));
}

/* Whoever takes a way that fails out of the configuration still gets the daily alert. */
static void a_way_that_is_off_by_now_is_owed_nothing(UNUSED_STATE)
{
	config->alert.mail_to = mem_strdup("a@soyte.example");
	config->alert.mail_by = mem_strdup("/no/such/sendmail");
	disk_has(1000);
	settle();
	assert_int_equal(metrics.alerts_total, 1);
	assert_int_equal(metrics.alerts_failed_total, 1);
	mem_free(config->alert.mail_to);
	config->alert.mail_to = NULL;
	pass(HOUR);
	settle();

	assert_int_equal(metrics.alerts_total, 2);
	assert_true(is_file("alerts/ctxh-2026-09-22.txt"));
}

int main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(the_first_comes_at_its_hour_and_not_at_the_first_start),
		T(it_comes_once_a_day_also_after_a_restart),
		T(a_way_set_later_begins_with_the_next_day),
		T(what_was_due_while_it_was_down_comes_at_the_start),
		T(a_clock_that_was_ahead_does_not_put_it_off_for_years),
		T(old_files_go_and_others_stay),
		T(a_mail_is_given_to_the_program_on_its_input),
		T(a_way_that_fails_is_tried_later_and_the_others_are_not_again),
		T(what_a_mailer_says_is_kept_as_text),
		T(tries_end_and_begin_anew_the_next_day),
		T(the_day_shown_is_the_one_that_went_out),
		T(a_program_that_hangs_is_ended_by_a_stop),
		T(one_asked_for_does_not_stand_for_the_daily_one),
		T(too_many_asked_for_at_once_are_refused),
		T(a_full_disk_is_told_at_once_and_not_again_too_soon),
		T(a_disk_without_any_room_is_told),
		T(a_way_that_is_off_by_now_is_owed_nothing),
		T(nothing_is_told_at_once_where_that_is_set),
		T(each_device_set_aside_is_told_once),
		T(an_urgent_one_goes_on_by_the_way_that_failed),
	};

	return cmocka_run_group_tests_name("alert_sender", tests, NULL, NULL);
}

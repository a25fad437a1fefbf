/* cmd_bundle - `ctxh bundle out` and `ctxh bundle in`: a contact carried by hand. */
#define LOG_TAG "bundle"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client/bundle.h"
#include "client/cmd.h"
#include "client/cmd_sync.h"
#include "common/base/log.h"
#include "common/base/outfile.h"

/* ---- files ---- */

static enum err read_all(int fd, size_t max, struct buf *out)
{
	ssize_t got = 1;

	while (got > 0 && out->len <= max) {
		got = read(fd, buf_reserve(out, 65536), 65536);
		if (got < 0 && errno == EINTR)
			got = 1;
		else if (got > 0)
			out->len += (size_t)got;
	}
	return got < 0 ? ERR_IO : ERR_OK;
}

/* One byte over the limit is enough to tell. ERR_IO: errno says why. */
static enum err read_file(const char *path, size_t max, struct buf *out)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return ERR_IO;
	enum err e = read_all(fd, max, out);
	int why = errno;

	close(fd);
	errno = why;
	return e;
}

static int fail_reading(const char *path)
{
	const char *why = strerror(errno);

	fprintf(stderr,
		"ctxh: không đọc được %s: %s; chưa đổi gì / cannot read %s: %s; nothing was "
		"changed\n",
		path, why, path, why);
	return ARGS_EXIT_FAILED;
}

/* What stands there may be replaced: nothing, or a file of ours. ARGS_EXIT_DONE. */
static int check_replaced(const char *path)
{
	AUTO(buf_clear) struct buf start = {0};
	struct stat st;

	if (stat(path, &st) != 0)
		return errno == ENOENT ? ARGS_EXIT_DONE : fail_reading(path);
	if (S_ISREG(st.st_mode) && read_file(path, 0, &start) != ERR_OK)
		return fail_reading(path);
	if (S_ISREG(st.st_mode) && (start.len == 0 || bundle_is_one(buf_bytes(&start))))
		return ARGS_EXIT_DONE;
	fprintf(stderr,
		"ctxh: %s không phải tệp của ctxh; không ghi đè, hãy chọn tên khác / %s is no file "
		"of ctxh; it was not replaced, choose another name\n",
		path, path);
	return ARGS_EXIT_FAILED;
}

/* ---- both ways ---- */

static struct sync contact_of(struct cmd *c)
{
	return (struct sync){.vault = c->vault,
			     .clock = c->clock,
			     .schema = c->schema,
			     .client_version = CTXH_VERSION,
			     .is_by_file = true};
}

static int fail_not_enrolled(void)
{
	return cmd_fail("máy này chưa đăng ký; lần đầu phải nối với văn phòng: ctxh enrol",
			"this device is not enrolled; that needs the office once: ctxh enrol");
}

/* The vault and the lock of contacts. False: said already. */
static bool begin(struct cmd *c, int *ret_lock, int *ret_exit)
{
	if (!cmd_open_vault(c, ret_exit))
		return false;
	*ret_lock = cmd_sync_lock(c, ret_exit);
	if (*ret_lock < 0)
		return false;
	if (!cmd_sync_schema(c))
		log_debug("no schema yet");
	return true;
}

/* ---- out ---- */

static int write_out(struct cmd *c, const char *path)
{
	AUTO(buf_clear) struct buf file = {0};
	struct sync s = contact_of(c);
	struct bundle_made made = {0};
	enum err e = bundle_make(&s, c->rand, &file, &made);

	if (e == ERR_NOTFOUND)
		return fail_not_enrolled();
	if (e != ERR_OK)
		return cmd_fail_err(c, e, "làm tệp mang đi", "making the file");
	e = outfile_write(path, buf_bytes(&file));
	if (e != ERR_OK)
		return cmd_fail_file("các thay đổi vẫn ở đây", "the changes are still here");
	cmd_printf("Đã ghi tệp số %llu: %zu thay đổi chưa có biên nhận. Mang đến văn phòng; chúng "
		   "còn ở đây cho đến khi tệp trả về được đọc. / Wrote file number %llu: %zu "
		   "changes without a receipt. Take it to the office; they stay here until its "
		   "return file is read.\n",
		   (unsigned long long)made.number, made.changes, (unsigned long long)made.number,
		   made.changes);
	if (made.left != 0)
		cmd_printf("%lld thay đổi không vừa một tệp; sau khi đọc tệp trả về, hãy làm tệp "
			   "nữa. / %lld changes did not fit; after the return file, make another "
			   "one.\n",
			   (long long)made.left, (long long)made.left);
	return ARGS_EXIT_DONE;
}

int cmd_bundle_out(void *context, const struct args *args)
{
	const char *path = args_positional(args, 0);
	struct cmd *c = context;
	int lock;
	int exit = check_replaced(path);

	if (exit != ARGS_EXIT_DONE || !begin(c, &lock, &exit))
		return exit;
	exit = write_out(c, path);
	close(lock);
	return exit;
}

/* ---- in ---- */

static int fail_flaw(const struct bundle_taken *t)
{
	fprintf(stderr, "ctxh: %s", bundle_flaw_vi(t->flaw));
	if (t->flaw == BUNDLE_OTHER_DEVICE)
		fprintf(stderr, " (máy số %u)", t->device);
	fprintf(stderr, "; ở đây chưa đổi gì / %s", bundle_flaw_en(t->flaw));
	if (t->flaw == BUNDLE_OTHER_DEVICE)
		fprintf(stderr, " (number %u)", t->device);
	fprintf(stderr, "; nothing was changed here\n");
	return ARGS_EXIT_FAILED;
}

static int tell_taken(const struct bundle_taken *t)
{
	const struct sync_report *r = &t->report;
	bool is_gap = strcmp(r->refusal, "gap") == 0;

	cmd_sync_print(r);
	if (t->is_overtaken)
		cmd_printf("Máy này đã có dữ liệu mới hơn lúc xin tệp đó; biên nhận và thông báo "
			   "trong tệp đã nhận, hồ sơ thì tệp sau sẽ có. / This device has moved on "
			   "since that file was asked for; its receipts and notices are taken, "
			   "records come with the next file.\n");
	else if (t->has_more)
		cmd_printf(
			"Văn phòng còn dữ liệu chưa vừa tệp này; hãy làm ctxh bundle out lần nữa. "
			"/ The office has more than fitted; run ctxh bundle out again.\n");
	if (is_gap)
		cmd_printf("Văn phòng thiếu các thay đổi trước đó; chúng vẫn ở đây, hãy làm ctxh "
			   "bundle out lần nữa. / The office lacks earlier changes; they are still "
			   "here, run ctxh bundle out again.\n");
	fflush(stdout);
	return is_gap || r->quarantined + r->conflicts != 0 ? ARGS_EXIT_PARTIAL : ARGS_EXIT_DONE;
}

static int tell_outcome(struct cmd *c, enum err e, const struct bundle_taken *t)
{
	if (e == ERR_NOTFOUND && t->report.missing == 0)
		return fail_not_enrolled();
	if (e != ERR_OK)
		return cmd_sync_fail(c, e, &t->report);
	switch (t->outcome) {
	case BUNDLE_TAKEN: return tell_taken(t);
	case BUNDLE_FLAWED: return fail_flaw(t);
	case BUNDLE_SUPERSEDED:
		cmd_printf("Tệp này cũ hơn những gì máy đã nhận; không cần nữa, không đổi gì. / "
			   "This file is older than what this device has; it is not needed, "
			   "nothing was changed.\n");
		return ARGS_EXIT_DONE;
	case BUNDLE_AHEAD:
		return cmd_fail(
			"tệp này tiếp nối từ chỗ máy này chưa có (kho dữ liệu đã phục hồi từ "
			"bản cũ?); chưa đổi gì, hãy làm ctxh bundle out và mang tệp mới đi",
			"this file goes on from where this device has not been (a home "
			"folder restored from an older copy?); nothing was changed, run "
			"ctxh bundle out and carry the new file");
	}
	return ARGS_EXIT_FAILED;
}

static int read_in(struct cmd *c, const struct buf *file)
{
	struct sync s = contact_of(c);
	struct bundle_taken taken;
	enum err e = bundle_take(&s, buf_bytes(file), &taken);

	return tell_outcome(c, e, &taken);
}

int cmd_bundle_in(void *context, const struct args *args)
{
	AUTO(buf_clear) struct buf file = {0};
	const char *path = args_positional(args, 0);
	struct cmd *c = context;
	int lock;
	int exit;

	if (read_file(path, LIMIT_BUNDLE_BYTES, &file) != ERR_OK)
		return fail_reading(path);
	if (!begin(c, &lock, &exit))
		return exit;
	exit = read_in(c, &file);
	close(lock);
	return exit;
}

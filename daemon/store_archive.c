#define LOG_TAG "archive"

#include "daemon/store_archive.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>
#include <zstd_errors.h>

#include "common/base/check.h"
#include "common/base/log.h"
#include "common/base/mem.h"

#define MAGIC      "CTXHBAK1"
#define MAGIC_LEN  8u
#define NAME_BYTES 32u
#define SEALED_LEN (BOX_PIECE_LEN + BOX_PIECE_OVERHEAD)
#define LEVEL      3
#define PATH_LEN   4096u

static const char *const names[] = {ARCHIVE_STORE, "id", "sign.key", "tls.key", "tls.crt"};

static enum err from_errno(const char *doing, const char *path)
{
	/* Never of the FATAL class: the daemon's own store is not hurt. */
	return err_raise(errno == ENOENT ? ERR_NOTFOUND : ERR_FULL, "%s %s: %s", doing, path,
			 strerror(errno));
}

static enum err may_go_on(const atomic_bool *is_stopping)
{
	return is_stopping != NULL && atomic_load(is_stopping) ? ERR_CANCELED : ERR_OK;
}

static enum err write_all(int fd, const char *path, struct bytes data)
{
	while (data.len > 0) {
		ssize_t n = write(fd, data.data, data.len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return from_errno("write", path);
		data.data += n;
		data.len -= (size_t)n;
	}
	return ERR_OK;
}

/* Until `len` bytes or the end of the file. */
static enum err read_full(int fd, const char *path, uint8_t *out, size_t len, size_t *ret_len)
{
	size_t at = 0;

	while (at < len) {
		ssize_t n = read(fd, out + at, len - at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return from_errno("read", path);
		if (n == 0)
			break;
		at += (size_t)n;
	}
	*ret_len = at;
	return ERR_OK;
}

/* As mem.h: nothing is wrong with the backup. */
static void need_memory(size_t rc)
{
	if (ZSTD_getErrorCode(rc) == ZSTD_error_memory_allocation)
		check_failed("memory", "zstd", __FILE__, __LINE__);
}

static void close_fd(int *fd)
{
	if (*fd >= 0)
		(void)close(*fd);
}

/* ---- writing: content -> zstd -> pieces -> file ---- */

struct archive_writer {
	struct hasher hasher;
	const char *path;
	const atomic_bool *is_stopping;
	ZSTD_CCtx *zstd;
	uint64_t bytes;
	size_t filled; /* of `plain` */
	int fd;
	struct box box;
	uint8_t plain[BOX_PIECE_LEN];
	uint8_t content[BOX_PIECE_LEN];
	uint8_t sealed[SEALED_LEN];
};

static enum err put_bytes(struct archive_writer *w, struct bytes data)
{
	hasher_add(&w->hasher, data);
	w->bytes += data.len;
	return write_all(w->fd, w->path, data);
}

static enum err put_piece(struct archive_writer *w, bool is_last)
{
	size_t len = w->filled;

	box_seal(&w->box, bytes_of(w->plain, len), is_last, w->sealed);
	w->filled = 0;
	return put_bytes(w, bytes_of(w->sealed, len + BOX_PIECE_OVERHEAD));
}

static enum err compress(struct archive_writer *w, struct bytes data, ZSTD_EndDirective end)
{
	ZSTD_inBuffer in = {data.data, data.len, 0};
	size_t left = 1;
	enum err e = ERR_OK;

	while (e == ERR_OK && (in.pos < in.size || (end == ZSTD_e_end && left != 0))) {
		ZSTD_outBuffer out = {w->plain, sizeof w->plain, w->filled};

		left = ZSTD_compressStream2(w->zstd, &out, &in, end);
		need_memory(left);
		if (ZSTD_isError(left))
			return err_raise(ERR_FULL, "zstd: %s", ZSTD_getErrorName(left));
		w->filled = out.pos;
		/* The last piece may be a full one: it is marked, and it must not be sealed here.
		 */
		if (w->filled == sizeof w->plain && !(end == ZSTD_e_end && left == 0))
			e = put_piece(w, false);
	}
	return e;
}

static enum err put_content(struct archive_writer *w, int fd, const char *path, uint64_t size)
{
	enum err e = ERR_OK;

	while (e == ERR_OK && size > 0) {
		size_t want = size < sizeof w->content ? (size_t)size : sizeof w->content;
		size_t len = 0;

		e = may_go_on(w->is_stopping);
		if (e == ERR_OK)
			e = read_full(fd, path, w->content, want, &len);
		if (e == ERR_OK && len != want)
			e = err_raise(ERR_FULL, "%s became shorter", path);
		if (e == ERR_OK)
			e = compress(w, bytes_of(w->content, len), ZSTD_e_continue);
		size -= want;
	}
	return e;
}

static enum err put_entry(struct archive_writer *w, const struct archive_entry *entry)
{
	__attribute__((cleanup(close_fd))) int fd = open(entry->path, O_RDONLY | O_CLOEXEC);
	uint8_t head[1 + NAME_BYTES + 8];
	size_t len = strlen(entry->name);
	struct stat st;
	enum err e;

	REQUIRE(len > 0 && len <= NAME_BYTES);
	if (fd < 0 || fstat(fd, &st) != 0)
		return from_errno("open", entry->path);
	head[0] = (uint8_t)len;
	memcpy(head + 1, entry->name, len);
	for (unsigned i = 0; i < 8; i++)
		head[1 + len + i] = (uint8_t)((uint64_t)st.st_size >> (56 - 8 * i));
	e = compress(w, bytes_of(head, 1 + len + 8), ZSTD_e_continue);
	return e == ERR_OK ? put_content(w, fd, entry->path, (uint64_t)st.st_size) : e;
}

static enum err put_all(struct archive_writer *w, const struct archive_entry *entries, size_t count)
{
	static const uint8_t end = 0;
	enum err e = compress(w, BYTES_LIT(MAGIC), ZSTD_e_continue);

	for (size_t i = 0; e == ERR_OK && i < count; i++)
		e = put_entry(w, &entries[i]);
	if (e == ERR_OK)
		e = compress(w, bytes_of(&end, 1), ZSTD_e_end);
	if (e == ERR_OK)
		e = put_piece(w, true);
	if (e == ERR_OK && fsync(w->fd) != 0)
		e = from_errno("fsync", w->path);
	return e;
}

enum err archive_write(const struct archive_order *order, uint8_t ret_key[BOX_KEY_LEN],
		       struct archive_mark *ret_mark)
{
	const char *path = order->path;
	AUTO(mem_free) struct archive_writer *w = mem_alloc_zero(sizeof *w);
	uint8_t header[BOX_HEADER_LEN];
	enum err e;

	w->path = path;
	w->is_stopping = order->is_stopping;
	w->fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (w->fd < 0)
		return from_errno("create", path);
	w->zstd = ZSTD_createCCtx();
	REQUIRE(w->zstd != NULL);
	(void)ZSTD_CCtx_setParameter(w->zstd, ZSTD_c_compressionLevel, LEVEL);
	(void)ZSTD_CCtx_setParameter(w->zstd, ZSTD_c_checksumFlag, 1);
	hasher_start(&w->hasher);
	e = box_seal_start(order->rand, &order->to, &w->box, header, ret_key);
	if (e == ERR_OK)
		e = put_bytes(w, bytes_of(header, sizeof header));
	if (e == ERR_OK)
		e = put_all(w, order->entries, order->count);
	(void)ZSTD_freeCCtx(w->zstd);
	(void)close(w->fd);
	if (e == ERR_OK)
		*ret_mark = (struct archive_mark){w->bytes, hasher_end(&w->hasher)};
	else
		(void)unlink(path);
	crypt_wipe(w, sizeof *w);
	return e;
}

/* ---- reading: file -> pieces -> zstd -> content ---- */

enum expecting {
	EXPECT_MAGIC,
	EXPECT_NAME_LEN,
	EXPECT_NAME,
	EXPECT_SIZE,
	EXPECT_CONTENT,
	EXPECT_NOTHING, /* the end was there */
};

struct archive_reader {
	struct hasher hasher;
	const char *path;
	const char *folder;
	ZSTD_DCtx *zstd;
	uint64_t bytes;
	size_t have; /* bytes of `field` */
	size_t want;
	uint64_t left; /* of the content */
	int fd;
	enum expecting expecting;
	int out; /* the file being written; -1: none */
	bool is_frame_done;
	bool has_store;
	uint8_t field[NAME_BYTES];
	char name[NAME_BYTES + 1];
	struct box box;
	uint8_t plain[BOX_PIECE_LEN];
	uint8_t content[BOX_PIECE_LEN];
	uint8_t sealed[SEALED_LEN];
};

static void expect(struct archive_reader *r, enum expecting what, size_t want)
{
	r->expecting = what;
	r->have = 0;
	r->want = want;
}

static enum err end_file(struct archive_reader *r)
{
	int fd = r->out;
	int rc;

	r->out = -1;
	rc = fsync(fd);
	(void)close(fd);
	expect(r, EXPECT_NAME_LEN, 1);
	return rc == 0 ? ERR_OK : from_errno("fsync", r->name);
}

static enum err begin_file(struct archive_reader *r)
{
	char path[PATH_LEN];
	bool is_known = false;

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		is_known |= strcmp(names[i], r->name) == 0;
	if (!is_known)
		return err_raise(ERR_INVAL, "an archive does not hold such a file");
	r->has_store |= strcmp(r->name, ARCHIVE_STORE) == 0;
	if ((size_t)snprintf(path, sizeof path, "%s/%s", r->folder, r->name) >= sizeof path)
		return err_raise(ERR_INVAL, "path too long: %s", r->folder);
	r->out = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (r->out < 0)
		return from_errno("create", path);
	r->expecting = EXPECT_CONTENT;
	return r->left == 0 ? end_file(r) : ERR_OK;
}

/* A field is whole. */
static enum err take_field(struct archive_reader *r)
{
	switch (r->expecting) {
	case EXPECT_MAGIC:
		if (memcmp(r->field, MAGIC, MAGIC_LEN) != 0)
			return err_raise(ERR_INVAL, "not a backup");
		expect(r, EXPECT_NAME_LEN, 1);
		return ERR_OK;
	case EXPECT_NAME_LEN:
		if (r->field[0] > NAME_BYTES)
			return err_raise(ERR_INVAL, "a name of %u bytes", r->field[0]);
		expect(r, r->field[0] == 0 ? EXPECT_NOTHING : EXPECT_NAME, r->field[0]);
		return ERR_OK;
	case EXPECT_NAME:
		memcpy(r->name, r->field, r->have);
		r->name[r->have] = '\0';
		expect(r, EXPECT_SIZE, 8);
		return ERR_OK;
	case EXPECT_SIZE:
		r->left = 0;
		for (unsigned i = 0; i < 8; i++)
			r->left = r->left << 8 | r->field[i];
		return begin_file(r);
	case EXPECT_CONTENT:
	case EXPECT_NOTHING: break;
	}
	UNREACHABLE();
}

static enum err take_some(struct archive_reader *r, struct bytes *data)
{
	size_t len = r->want - r->have;
	enum err e;

	if (r->expecting == EXPECT_NOTHING)
		return err_raise(ERR_INVAL, "bytes behind the end");
	if (r->expecting == EXPECT_CONTENT) {
		len = r->left < data->len ? (size_t)r->left : data->len;
		e = write_all(r->out, r->name, bytes_of(data->data, len));
		r->left -= len;
		if (e == ERR_OK && r->left == 0)
			e = end_file(r);
	} else {
		len = len < data->len ? len : data->len;
		memcpy(r->field + r->have, data->data, len);
		r->have += len;
		e = r->have == r->want ? take_field(r) : ERR_OK;
	}
	data->data += len;
	data->len -= len;
	return e;
}

static enum err decompress(struct archive_reader *r, struct bytes plain)
{
	ZSTD_inBuffer in = {plain.data, plain.len, 0};
	bool has_more = false; /* the output was full: there may be more without input */
	enum err e = ERR_OK;

	while (e == ERR_OK && (in.pos < in.size || has_more)) {
		ZSTD_outBuffer out = {r->content, sizeof r->content, 0};
		size_t rc;

		if (r->is_frame_done)
			return err_raise(ERR_INVAL, "bytes behind the compressed part");
		rc = ZSTD_decompressStream(r->zstd, &out, &in);
		need_memory(rc);
		if (ZSTD_isError(rc))
			return err_raise(ERR_INVAL, "zstd: %s", ZSTD_getErrorName(rc));
		r->is_frame_done = rc == 0;
		has_more = out.pos == out.size && rc != 0;

		struct bytes content = bytes_of(r->content, out.pos);

		while (e == ERR_OK && content.len > 0)
			e = take_some(r, &content);
	}
	return e;
}

static enum err read_piece(struct archive_reader *r, bool *ret_is_last)
{
	size_t len = 0;
	enum err e = read_full(r->fd, r->path, r->sealed, sizeof r->sealed, &len);

	if (e != ERR_OK)
		return e;
	if (len == 0)
		return err_raise(ERR_AUTH, "%s: cut short", r->path);
	hasher_add(&r->hasher, bytes_of(r->sealed, len));
	r->bytes += len;
	e = box_open(&r->box, bytes_of(r->sealed, len), r->plain, ret_is_last);
	return e == ERR_OK ? decompress(r, bytes_of(r->plain, len - BOX_PIECE_OVERHEAD)) : e;
}

/* Nothing behind the last piece, nothing missing inside. */
static enum err check_end(struct archive_reader *r)
{
	uint8_t byte;
	size_t len = 0;
	enum err e = read_full(r->fd, r->path, &byte, 1, &len);

	if (e == ERR_OK && len != 0)
		e = err_raise(ERR_AUTH, "%s: bytes behind the end", r->path);
	if (e == ERR_OK && (r->expecting != EXPECT_NOTHING || !r->is_frame_done || !r->has_store))
		e = err_raise(ERR_INVAL, "%s: not whole inside", r->path);
	return e;
}

static enum err open_uncached(const char *path, int *ret_fd)
{
	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0)
		return from_errno("open", path);
	(void)posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
	*ret_fd = fd;
	return ERR_OK;
}

static enum err read_box(struct archive_reader *r, const uint8_t key[BOX_KEY_LEN],
			 const atomic_bool *is_stopping)
{
	uint8_t header[BOX_HEADER_LEN];
	bool is_last = false;
	size_t len = 0;
	enum err e = read_full(r->fd, r->path, header, sizeof header, &len);

	if (e == ERR_OK && len != sizeof header)
		e = err_raise(ERR_AUTH, "%s: cut short", r->path);
	if (e != ERR_OK)
		return e;
	hasher_add(&r->hasher, bytes_of(header, sizeof header));
	r->bytes = sizeof header;
	e = box_open_start(header, key, &r->box);
	while (e == ERR_OK && !is_last) {
		e = may_go_on(is_stopping);
		if (e == ERR_OK)
			e = read_piece(r, &is_last);
	}
	return e == ERR_OK ? check_end(r) : e;
}

enum err archive_read(const char *path, const uint8_t key[BOX_KEY_LEN], const char *folder,
		      const atomic_bool *is_stopping, struct archive_mark *ret_mark)
{
	AUTO(mem_free) struct archive_reader *r = mem_alloc_zero(sizeof *r);
	enum err e = open_uncached(path, &r->fd);

	if (e != ERR_OK)
		return e;
	r->path = path;
	r->folder = folder;
	r->out = -1;
	r->zstd = ZSTD_createDCtx();
	REQUIRE(r->zstd != NULL);
	expect(r, EXPECT_MAGIC, MAGIC_LEN);
	hasher_start(&r->hasher);
	e = read_box(r, key, is_stopping);
	if (e == ERR_OK)
		*ret_mark = (struct archive_mark){r->bytes, hasher_end(&r->hasher)};
	(void)ZSTD_freeDCtx(r->zstd);
	close_fd(&r->out);
	(void)close(r->fd);
	crypt_wipe(r, sizeof *r);
	return e;
}

enum err archive_measure(const char *path, const atomic_bool *is_stopping,
			 struct archive_mark *ret_mark)
{
	__attribute__((cleanup(close_fd))) int fd = -1;
	AUTO(mem_free) uint8_t *piece = mem_alloc(BOX_PIECE_LEN);
	struct hasher hasher;
	uint64_t bytes = 0;
	size_t len = 1;
	enum err e = open_uncached(path, &fd);

	hasher_start(&hasher);
	while (e == ERR_OK && len > 0) {
		e = may_go_on(is_stopping);
		if (e == ERR_OK)
			e = read_full(fd, path, piece, BOX_PIECE_LEN, &len);
		if (e == ERR_OK)
			hasher_add(&hasher, bytes_of(piece, len));
		bytes += len;
	}
	if (e == ERR_OK)
		*ret_mark = (struct archive_mark){bytes, hasher_end(&hasher)};
	return e;
}

enum err archive_read_header(const char *path, uint8_t ret_header[BOX_HEADER_LEN])
{
	__attribute__((cleanup(close_fd))) int fd = -1;
	struct box_public to;
	size_t len = 0;
	enum err e = open_uncached(path, &fd);

	if (e == ERR_OK)
		e = read_full(fd, path, ret_header, BOX_HEADER_LEN, &len);
	if (e == ERR_OK && len != BOX_HEADER_LEN)
		e = err_raise(ERR_INVAL, "%s: not a backup", path);
	return e == ERR_OK ? box_read_header(ret_header, &to) : e;
}

void archive_remove_folder(const char *folder)
{
	DIR *dir = opendir(folder);
	const struct dirent *entry;

	if (dir == NULL)
		return;
	while ((entry = readdir(dir)) != NULL)
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			(void)unlinkat(dirfd(dir), entry->d_name, 0);
	(void)closedir(dir);
	(void)rmdir(folder);
}

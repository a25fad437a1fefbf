#define LOG_TAG "bundle"

#include "proto/bundle.h"

#include "common/base/check.h"
#include "common/base/mem.h"
#include "proto/limits.h"
#include "proto/shape.h"

static const uint8_t magic[8] = {0x89, 'C', 'T', 'X', 'H', '\r', '\n', 0x1a};

#define LENGTH_LEN 4u

/* A frame, too, is at most a message long. */
#define FRAME_BYTES LIMIT_PLAIN_BYTES

static const struct guard_limits body_limits = {
	.bytes = LIMIT_BUNDLE_BYTES,
	.string = FRAME_BYTES,
	.nodes = LIMIT_NODES,
	.depth = 4,
};

/* ---- bodies: each message packed in a frame of its own, as over the network ---- */

static const struct shape_field frame_fields[] = {
	{.kind = SHAPE_BIN, .is_required = SHAPE_REQUIRED, .max = FRAME_BYTES},
};
static const struct shape frame_shape = {frame_fields, 1, sizeof(struct bytes), true};

#define AT(key, kind, need, max, member) SHAPE_AT(struct msg_cursor, key, kind, need, max, member)
static const struct shape_field cursor_fields[] = {
	AT(1, SHAPE_INT, SHAPE_REQUIRED, 0, unit),
	AT(2, SHAPE_NUMBER, SHAPE_OPTIONAL, 0, log),
	AT(3, SHAPE_NUMBER, SHAPE_OPTIONAL, 0, behind),
};
#undef AT
static const struct shape cursor_shape = SHAPE_OF(struct msg_cursor, cursor_fields);

static const struct shape_field out_fields[] = {
	SHAPE_AT(struct bundle_out, 1, SHAPE_NUMBER, SHAPE_REQUIRED, 0, number),
	SHAPE_LIST_AT(struct bundle_out, 2, LIMIT_BUNDLE_PARTS, parts, part_count, &frame_shape),
};
static const struct shape out_shape = SHAPE_OF(struct bundle_out, out_fields);

#define AT(key, kind, need, max, member) \
	SHAPE_AT(struct bundle_return, key, kind, need, max, member)
#define LIST(key, max, member, counted, of) \
	SHAPE_LIST_AT(struct bundle_return, key, max, member, counted, of)
static const struct shape_field return_fields[] = {
	AT(1, SHAPE_NUMBER, SHAPE_REQUIRED, 0, number),
	LIST(2, LIMIT_BUNDLE_PARTS, parts, part_count, &frame_shape),
	AT(3, SHAPE_NUMBER, SHAPE_OPTIONAL, 0, log),
	AT(4, SHAPE_FIXED, SHAPE_OPTIONAL, ID_LEN, epoch),
	LIST(5, LIMIT_CURSORS, cursors, cursor_count, &cursor_shape),
	AT(6, SHAPE_BIN, SHAPE_OPTIONAL, FRAME_BYTES, refusal),
	AT(7, SHAPE_BIN, SHAPE_OPTIONAL, FRAME_BYTES, schema),
	AT(8, SHAPE_BIN, SHAPE_OPTIONAL, FRAME_BYTES, units),
};
#undef LIST
#undef AT
static const struct shape return_shape = SHAPE_OF(struct bundle_return, return_fields);

/* ---- numbers ---- */

static void put_be(uint8_t *at, uint64_t n, size_t len)
{
	for (size_t i = len; i-- > 0; n >>= 8)
		at[i] = (uint8_t)n;
}

static uint64_t get_be(const uint8_t *at, size_t len)
{
	uint64_t n = 0;

	for (size_t i = 0; i < len; i++)
		n = n << 8 | at[i];
	return n;
}

/* ---- what is wrong ---- */

struct flaw_words {
	const char *name;
	const char *vi;
	const char *en;
};

static const struct flaw_words flaws[] = {
	[BUNDLE_SOUND] = {"sound", "tệp tốt", "the file is sound"},
	[BUNDLE_STRANGE] = {"strange", "đây không phải tệp của ctxh", "this is not a file of ctxh"},
	[BUNDLE_NEWER] = {"newer",
			  "tệp do bản ctxh mới hơn làm ra; hãy cập nhật chương trình ở đây",
			  "the file was made by a newer ctxh; update the program here"},
	[BUNDLE_CUT] = {"cut", "tệp bị cụt, chép chưa xong; hãy chép lại từ máy đã làm ra nó",
			"the file is cut short; copy it again from where it was made"},
	[BUNDLE_LONGER] = {"longer", "tệp dài hơn phải có; hãy chép lại từ máy đã làm ra nó",
			   "the file is longer than it should be; copy it again from where it "
			   "was made"},
	[BUNDLE_WRONG_WAY] =
		{"wrong_way",
		 "tệp đi ngược chiều: tệp ctxh bundle out làm ra là cho văn phòng, tệp "
		 "ctxhctl bundle in làm ra là cho máy của xã",
		 "the file goes the other way: what ctxh bundle out made is for the "
		 "office, what ctxhctl bundle in made is for the commune's device"},
	[BUNDLE_ELSEWHERE] = {"elsewhere", "tệp của một văn phòng khác",
			      "the file belongs to another office"},
	[BUNDLE_FORGED] = {"forged",
			   "tệp đã bị đổi trên đường, hỏng, hoặc không do bên nó nêu tên ký; hãy "
			   "chép lại từ máy đã làm ra nó",
			   "the file was altered or damaged on the way, or is not signed by whom "
			   "it names; copy it again from where it was made"},
	[BUNDLE_NOT_TO_US] = {"not_to_us", "tệp niêm phong cho một khóa khác; không mở được ở đây",
			      "the file is sealed to another key; it cannot be opened here"},
	[BUNDLE_UNREADABLE] = {"unreadable", "tệp có chữ ký đúng nhưng nội dung không đọc được",
			       "the file is signed, but its content cannot be read"},
	[BUNDLE_OTHER_DEVICE] = {"other_device", "tệp của một máy khác",
				 "the file belongs to another device"},
};

const char *bundle_flaw_vi(enum bundle_flaw flaw)
{
	return flaws[flaw].vi;
}

const char *bundle_flaw_en(enum bundle_flaw flaw)
{
	return flaws[flaw].en;
}

const char *bundle_flaw_name(enum bundle_flaw flaw)
{
	return flaws[flaw].name;
}

/* ---- writing ---- */

/* The whole file's length: the next step that holds it. */
static size_t padded(size_t body_len)
{
	size_t least = BUNDLE_MIN_LEN + body_len;

	return (least + BUNDLE_STEP - 1) / BUNDLE_STEP * BUNDLE_STEP;
}

static void put_head(const struct bundle_head *head, size_t file_len,
		     uint8_t ret_head[BUNDLE_HEAD_LEN])
{
	uint8_t *at = ret_head;

	memcpy(at, magic, sizeof magic);
	at += sizeof magic;
	*at++ = BUNDLE_VERSION;
	*at++ = (uint8_t)head->kind;
	put_be(at, 0, 2);
	put_be(at + 2, head->device, 4);
	memcpy(at + 6, head->daemon.bytes, ID_LEN);
	put_be(at + 6 + ID_LEN, file_len, 8);
}

/* Takes the body apart from its buffer: what was plain is wiped. */
static enum err write_file(const struct bundle_writer *w, const struct shape *shape,
			   const void *body, struct buf *out)
{
	AUTO(buf_clear) struct buf plain = {0};
	AUTO(buf_clear) struct buf file = {0};
	const uint8_t room[LENGTH_LEN] = {0};
	struct signature signature;
	struct packer p;

	buf_append(&plain, room, sizeof room);
	packer_init(&p, &plain, PACK_UNBOUNDED);
	shape_encode(shape, body, &p);
	packer_done(&p);
	size_t body_len = plain.len - LENGTH_LEN;
	size_t file_len = padded(body_len);
	size_t plain_len = file_len - (BUNDLE_MIN_LEN - LENGTH_LEN);

	if (file_len > LIMIT_BUNDLE_BYTES)
		return err_raise(ERR_TOOBIG, "a file of %zu bytes", file_len);
	put_be(plain.data, body_len, LENGTH_LEN);
	memset(buf_reserve(&plain, plain_len - plain.len), 0, plain_len - plain.len);
	plain.len = plain_len;

	put_head(&w->head, file_len, buf_reserve(&file, file_len));
	enum err e = letter_seal(w->reader, w->rand, buf_bytes(&plain),
				 bytes_of(file.data, BUNDLE_HEAD_LEN), file.data + BUNDLE_HEAD_LEN);

	crypt_wipe(plain.data, plain.len);
	if (e != ERR_OK)
		return e;
	file.len = file_len - SIGN_LEN;
	signature = sign_make(w->key, BUNDLE_CONTEXT, buf_bytes(&file));
	buf_append(&file, signature.bytes, SIGN_LEN);
	buf_append_bytes(out, buf_bytes(&file));
	return ERR_OK;
}

static struct bytes frame(struct arena *a, struct bytes message)
{
	AUTO(buf_clear) struct buf framed = {0};

	if (message.len == 0)
		return BYTES_NONE;
	msg_answer_seal(message, &framed);
	return arena_copy(a, buf_bytes(&framed));
}

static struct bytes *frame_all(struct arena *a, const struct bytes *parts, size_t count)
{
	struct bytes *framed = arena_alloc_array(a, count, sizeof *framed);

	REQUIRE(count <= LIMIT_BUNDLE_PARTS);
	for (size_t i = 0; i < count; i++)
		framed[i] = frame(a, parts[i]);
	return framed;
}

enum err bundle_write_out(const struct bundle_writer *w, const struct bundle_out *b,
			  struct buf *out)
{
	AUTO(arena_clear) struct arena a = {0};
	struct bundle_out framed = *b;

	REQUIRE(w->head.kind == BUNDLE_TO_OFFICE);
	framed.parts = frame_all(&a, b->parts, b->part_count);
	return write_file(w, &out_shape, &framed, out);
}

enum err bundle_write_return(const struct bundle_writer *w, const struct bundle_return *b,
			     struct buf *out)
{
	AUTO(arena_clear) struct arena a = {0};
	struct bundle_return framed = *b;

	REQUIRE(w->head.kind == BUNDLE_RETURN);
	framed.parts = frame_all(&a, b->parts, b->part_count);
	framed.refusal = frame(&a, b->refusal);
	framed.schema = frame(&a, b->schema);
	framed.units = frame(&a, b->units);
	return write_file(w, &return_shape, &framed, out);
}

/* ---- reading ---- */

bool bundle_is_one(struct bytes start)
{
	return start.len >= sizeof magic && memcmp(start.data, magic, sizeof magic) == 0;
}

enum bundle_flaw bundle_peek(struct bytes file, struct bundle_head *ret_head)
{
	const uint8_t *at = file.data;
	uint64_t length;

	if (!bundle_is_one(file))
		return BUNDLE_STRANGE;
	if (file.len < BUNDLE_HEAD_LEN)
		return BUNDLE_CUT;
	if (at[8] != BUNDLE_VERSION)
		return BUNDLE_NEWER;
	length = get_be(at + 16 + ID_LEN, 8);
	if (length > LIMIT_BUNDLE_BYTES || file.len > length)
		return BUNDLE_LONGER;
	if (file.len < length)
		return BUNDLE_CUT;
	if (length < BUNDLE_MIN_LEN || (at[9] != BUNDLE_TO_OFFICE && at[9] != BUNDLE_RETURN) ||
	    get_be(at + 10, 2) != 0)
		return BUNDLE_FORGED;
	*ret_head = (struct bundle_head){.kind = (enum bundle_kind)at[9],
					 .device = (uint32_t)get_be(at + 12, 4)};
	memcpy(ret_head->daemon.bytes, at + 16, ID_LEN);
	return BUNDLE_SOUND;
}

static enum bundle_flaw open_body(struct arena *a, struct bytes file,
				  const struct sign_public *writer, const struct sign_pair *own,
				  struct bytes *ret_body)
{
	struct bytes head = bytes_of(file.data, BUNDLE_HEAD_LEN);
	struct bytes is_signed = bytes_of(file.data, file.len - SIGN_LEN);
	struct bytes sealed =
		bytes_of(file.data + BUNDLE_HEAD_LEN, file.len - BUNDLE_HEAD_LEN - SIGN_LEN);
	size_t plain_len = sealed.len - LETTER_OVERHEAD;
	struct signature signature;
	uint8_t *plain;

	memcpy(signature.bytes, file.data + file.len - SIGN_LEN, SIGN_LEN);
	if (!sign_is_valid(writer, BUNDLE_CONTEXT, is_signed, &signature))
		return BUNDLE_FORGED;
	plain = arena_alloc(a, plain_len);
	if (letter_open(own, sealed, head, plain) != ERR_OK)
		return BUNDLE_NOT_TO_US;
	uint64_t body_len = get_be(plain, LENGTH_LEN);

	if (body_len > plain_len - LENGTH_LEN)
		return BUNDLE_UNREADABLE;
	for (size_t i = LENGTH_LEN + (size_t)body_len; i < plain_len; i++)
		if (plain[i] != 0)
			return BUNDLE_UNREADABLE;
	*ret_body = bytes_of(plain + LENGTH_LEN, (size_t)body_len);
	return BUNDLE_SOUND;
}

/* Out of its frame; all messages of a file together have one limit. */
static bool unframe(struct arena *a, size_t *total, struct bytes *part)
{
	struct bytes message;

	if (part->len == 0)
		return true;
	if (msg_answer_open(a, *part, &message) != ERR_OK ||
	    message.len > LIMIT_BUNDLE_PLAIN - *total)
		return false;
	*total += message.len;
	*part = message;
	return true;
}

static bool unframe_all(struct arena *a, size_t *total, struct bytes *parts, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (parts[i].len == 0 || !unframe(a, total, &parts[i]))
			return false;
	return true;
}

enum bundle_flaw bundle_open_out(struct arena *a, struct bytes file,
				 const struct sign_public *writer, const struct sign_pair *own,
				 struct bundle_out *ret_out)
{
	struct bundle_out b;
	struct bytes body;
	size_t total = 0;
	enum bundle_flaw flaw = open_body(a, file, writer, own, &body);

	if (flaw != BUNDLE_SOUND)
		return flaw;
	if (shape_decode(&out_shape, &body_limits, a, body, &b) != ERR_OK || b.part_count == 0 ||
	    !unframe_all(a, &total, b.parts, b.part_count))
		return BUNDLE_UNREADABLE;
	*ret_out = b;
	return BUNDLE_SOUND;
}

enum bundle_flaw bundle_open_return(struct arena *a, struct bytes file,
				    const struct sign_public *writer, const struct sign_pair *own,
				    struct bundle_return *ret_return)
{
	struct bundle_return b;
	struct bytes body;
	size_t total = 0;
	enum bundle_flaw flaw = open_body(a, file, writer, own, &body);

	if (flaw != BUNDLE_SOUND)
		return flaw;
	if (shape_decode(&return_shape, &body_limits, a, body, &b) != ERR_OK ||
	    !unframe_all(a, &total, b.parts, b.part_count) || !unframe(a, &total, &b.refusal) ||
	    !unframe(a, &total, &b.schema) || !unframe(a, &total, &b.units))
		return BUNDLE_UNREADABLE;
	*ret_return = b;
	return BUNDLE_SOUND;
}

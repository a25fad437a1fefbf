#define LOG_TAG "reply"

#include "daemon/reply.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "common/base/mem.h"
#include "daemon/console.h"
#include "proto/msg.h"

struct known {
	const char *code;
	unsigned status;
	uint64_t retry_after_s; /* 0: not unchanged */
	const char *text;
};

/* clang-format off */
static const struct known known[] = {
	{"bad_request", 400, 0,
	 "Yêu cầu không đọc được; chưa có gì được nhận. / The request cannot be read; nothing was taken."},
	{"bad_signature", 400, 0,
	 "Chữ ký của một gói thay đổi không đúng; chưa có gì được nhận. / A change-set is not signed by this device; nothing was taken."},
	{"unknown_device", 401, 0,
	 "Máy này chưa được đăng ký ở đây. Hãy xin thư mời mới. / This device is not enrolled here. Ask for a new invitation."},
	{"revoked", 403, 0,
	 "Máy này đã bị thu hồi. Hãy liên hệ cơ quan quản lý. / This device was revoked. Contact the office."},
	{"forked", 403, 0,
	 "Máy này bị tách nhánh (đĩa bị sao chép hoặc phục hồi). Mọi thay đổi đều được giữ; hãy xin văn phòng thư giải phóng rồi chạy ctxh enrol. / This device's history forked (a copied or restored disk). Everything is kept; ask the office for a release and run ctxh enrol with it."},
	{"code_used", 403, 0,
	 "Mã mời sai, đã dùng hoặc hết hạn. Hãy xin thư mời mới. / The invitation is wrong, used or expired. Ask for a new one."},
	{"other_home", 403, 0,
	 "Thư mời này không phải để giải phóng máy của thư mục này; nó chưa bị dùng. Hãy xin văn phòng: ctxhctl device release SỐ. / This invitation is not the release of this folder's device; it was not used up. Ask the office: ctxhctl device release NUMBER."},
	{"key_known", 409, 0,
	 "Khóa này thuộc về một máy khác. / This key belongs to another device."},
	{"not_found", 404, 0, "Không có ở đây. / Not here."},
	{"not_allowed", 405, 0, "Không làm được ở đây. / Not allowed here."},
	{"gap", 409, 0,
	 "Thiếu các thay đổi trước đó; hãy gửi từ số được nêu. / Earlier changes are missing; send from the number named."},
	{"replay", 409, 0,
	 "Yêu cầu này đã nhận rồi. / This request was taken before."},
	{"too_big", 413, 0,
	 "Yêu cầu quá lớn; hãy gửi từng phần. / The request is too big; send less at a time."},
	{"too_many", 429, 60,
	 "Thử quá nhiều lần; hãy đợi một phút. / Too many tries; wait a minute."},
	{"failed", 500, 30,
	 "Máy chủ gặp lỗi; chưa có gì mất, hãy thử lại sau. / The office failed; nothing is lost, try again later."},
	{"busy", 503, 5,
	 "Máy chủ đang bận; chưa có gì mất, hãy thử lại sau. / The office is busy; nothing is lost, try again later."},
	{"full", 507, 600,
	 "Máy chủ hết chỗ; chưa có gì mất, hãy thử lại sau. / The office's disk is full; nothing is lost, try again later."},
};
/* clang-format on */

static const struct known *find(const char *code)
{
	for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
		if (strcmp(known[i].code, code) == 0)
			return &known[i];
	return NULL;
}

unsigned reply_status(const char *code)
{
	const struct known *k = find(code);

	return k != NULL ? k->status : 500;
}

const char *reply_text(const char *code)
{
	const struct known *k = find(code);

	return k != NULL ? k->text : "";
}

/* Copied by http_answer() before the next one is made: both run on the loop. */
static void add_retry_after(struct http_answer *a, uint64_t seconds)
{
	static char text[24];

	if (seconds == 0)
		return;
	snprintf(text, sizeof text, "%" PRIu64, seconds);
	a->fields[0] = (struct http_field){"Retry-After", text};
}

void reply_make_refusal(const struct refusal *refusal, struct http_answer *ret_answer)
{
	AUTO(buf_clear) struct buf message = {0};
	const struct known *k = find(refusal->code);
	struct msg_refusal m = {.code = bytes_str(refusal->code), .expected = refusal->expected};

	if (refusal->chain != NULL)
		m.chain = *refusal->chain;
	if (k != NULL) {
		m.text = bytes_str(k->text);
		m.retry_after_s = k->retry_after_s;
	}
	*ret_answer = (struct http_answer){.status = reply_status(refusal->code),
					   .content_type = MSG_CONTENT_TYPE};
	msg_refusal_encode(&m, &message);
	msg_answer_seal(buf_bytes(&message), &ret_answer->body);
	add_retry_after(ret_answer, m.retry_after_s);
}

void reply_make_error(unsigned status, int exit_code, const char *text,
		      struct http_answer *ret_answer)
{
	json_t *j = json_pack("{s:i,s:s}", "exit_code", exit_code, "error", text);
	AUTO(mem_free) char *line = json_dumps(j, JSON_COMPACT);

	json_decref(j);
	*ret_answer = (struct http_answer){.status = status, .content_type = REPLY_JSON};
	/* Text that is not UTF-8 cannot be JSON; the code is enough then. */
	buf_append_str(&ret_answer->body,
		       line != NULL ? line : "{\"exit_code\":1,\"error\":\"?\"}");
}

void reply_make_any(enum http_kind kind, unsigned status, const char *code,
		    struct http_answer *ret_answer)
{
	const struct known *k = find(code);

	switch (kind) {
	case HTTP_ADMIN:
		reply_make_error(status, status == 503 ? 3 : 2, k != NULL ? k->text : code,
				 ret_answer);
		return;
	case HTTP_CONSOLE: console_make_refusal(status, code, ret_answer); return;
	case HTTP_DEVICES: break;
	}
	reply_make_refusal(&(struct refusal){.code = code}, ret_answer);
	ret_answer->status = status;
}

void reply_refuse(struct http_request *r, const struct refusal *refusal)
{
	struct http_answer a = {0};

	reply_make_refusal(refusal, &a);
	http_answer(r, &a);
}

void reply_message(struct http_request *r, struct bytes message)
{
	struct buf body = {0};

	msg_answer_seal(message, &body);
	reply_body(r, 200, MSG_CONTENT_TYPE, &body);
}

void reply_body(struct http_request *r, unsigned status, const char *type, struct buf *body)
{
	struct http_answer a = {.status = status, .content_type = type, .body = *body};

	*body = (struct buf){0};
	http_answer(r, &a);
}

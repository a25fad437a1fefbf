/* listen - listening sockets: TCP by text, Unix by path. Non-blocking, close-on-exec. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "common/base/err.h"

#define LISTEN_TEXT_LEN 128u

/* "127.0.0.1:8443", "[::1]:0", "office.example:8443". ERR_INVAL: not an address; ERR_AGAIN: taken.
 */
enum err listen_tcp(const char *address, int *ret_fd);
/* 0660: who may connect is who may write to it. A socket nobody listens on is replaced. */
enum err listen_unix(const char *path, int *ret_fd);
/* The address in use: "127.0.0.1:43211". */
enum err listen_print(int fd, char ret_text[LISTEN_TEXT_LEN]);
/* Where a Unix socket listens; "" when nowhere in the file system. */
enum err listen_print_path(int fd, char ret_path[LISTEN_TEXT_LEN]);
/* Of a connected Unix socket: who the kernel says is at the other end. */
enum err listen_peer(int fd, uint32_t *ret_uid, uint32_t *ret_gid);

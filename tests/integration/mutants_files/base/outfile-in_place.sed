# It grows under its own name.
s|^	f->beside = mem_strdup(buf_cstr(&beside));|	f->fd = open(f->path, O_WRONLY \| O_CREAT \| O_TRUNC \| O_CLOEXEC, 0600);\n	return f->fd >= 0 ? ERR_OK : fail("create", f->path);|

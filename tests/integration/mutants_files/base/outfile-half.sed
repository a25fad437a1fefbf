# A write that does half is taken for a whole one.
s|^		data = bytes_of(data.data + n, data.len - (size_t)n);|		data.len = 0;|

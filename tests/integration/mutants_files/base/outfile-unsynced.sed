# Whether it is on the disk is asked, and the answer not heard.
s|^	if (fsync(f->fd) != 0)|	if (fsync(f->fd) != 0 \&\& false)|

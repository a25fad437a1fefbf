# Who wrote what is only in quarantine hears nothing of its erasure.
# args: --with erasures
# by: O11
s|e = tell_writers(r, record, numbers, count);|e = ERR_OK;|

# Bodies of the log are not cut.
# args: --with erasures --seed 2
# by: O11
s|return store_cut_log(r->store, row);|return ERR_OK;|

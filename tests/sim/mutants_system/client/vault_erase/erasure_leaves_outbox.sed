# A device keeps what its change-sets say of an erased record.
# args: --with erasures
# by: O11
s|e = cut_outbox(v, &a, id);|e = ERR_OK;|

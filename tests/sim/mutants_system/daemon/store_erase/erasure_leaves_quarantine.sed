# What was refused of an erased record stays in quarantine as it came.
# args: --with erasures
# by: O11
s|e = run_of_id(s, query_blank_quarantine, id);|e = ERR_OK;|

# A commit for which there was no room counts as done.
# args: --with faults
# by: O[1-9]|gap
s|e = run(s, sql_commit);|e = store_exec(s, "COMMIT"); if (e == ERR_FULL) { store_rollback(s); return ERR_OK; }|

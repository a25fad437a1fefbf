# An entry for which there was no room is said to be saved.
# args: --with faults
# by: O2
s|e = run(v, SQL_COMMIT);|{ e = run(v, SQL_COMMIT); if (e == ERR_FULL) { vault_rollback(v); return ERR_OK; } }|

# The author of the lost side of a conflict hears nothing.
# by: O3
s|e = ingest_tell_loser(r, &applied.conflicts\[i\]);|e = applied.conflict_count != 0 ? ERR_OK : ingest_tell_loser(r, \&applied.conflicts[i]);|

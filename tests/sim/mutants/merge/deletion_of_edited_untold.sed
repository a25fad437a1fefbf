# Deleting a record that somebody edited meanwhile is no conflict.
s|deletion_meets_edits(m, deleted);|(void)deletion_meets_edits;|

# An edit of a record that somebody deleted meanwhile is no conflict.
s|edit_meets_deletion(m, deleted);|(void)edit_meets_deletion;|

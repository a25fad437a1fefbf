# An answer that is cut by its budget moves the cursor over what was left out.
# by: O1|O9
s|p->used = level.used;|p->used = level.used, *ret_done = b->cut;|

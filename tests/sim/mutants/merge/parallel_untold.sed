# Concurrent edits of different fields are not marked.
s|m->has_unseen = true;|m->has_unseen = false;|

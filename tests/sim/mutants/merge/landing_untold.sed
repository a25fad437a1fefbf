# An edit that lands after a transfer is not marked.
s|m->result.is_landed = true;|m->result.is_landed = false;|

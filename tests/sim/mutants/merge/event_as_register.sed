# Events let the later write win.
s|if (kind == MERGE_EVENT && !record_is_system_field(a->name))|if (false)|

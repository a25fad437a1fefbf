# A second value of an event's field is told only when it could not be seen.
s|if (m->kind == MERGE_EVENT && !record_is_system_field(present->name))|if (false)|

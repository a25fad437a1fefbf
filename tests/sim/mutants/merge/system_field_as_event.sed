# Voiding or moving an event is accepted only once.
s|kind == MERGE_EVENT && !record_is_system_field(a->name)|kind == MERGE_EVENT|

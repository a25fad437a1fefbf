# Own changes keep their raw clock, whatever the office made of it.
# by: O1|O9
s|c->number, clock, repair != NULL|c->number, c->clock, repair != NULL|

# What was there and loses is told to nobody.
s|if (!has_conflict(m, &incoming, present, is_incoming_lost))|if (!is_incoming_lost \|\| !has_conflict(m, \&incoming, present, is_incoming_lost))|

# Two writes of one value: the one that came first stays, whatever its stamp.
s|append(m, is_incoming_lost ? present : &incoming);|append(m, is_incoming_lost \|\| value_equal(\&incoming.value, \&present->value) ? present : \&incoming);|

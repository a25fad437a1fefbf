# Joining two states keeps what is here.
s|order < 0 ? \*theirs : \*mine|*mine|

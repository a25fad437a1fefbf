# Joining two states keeps the older write.
s|order < 0 ? \*theirs : \*mine|order > 0 ? *theirs : *mine|

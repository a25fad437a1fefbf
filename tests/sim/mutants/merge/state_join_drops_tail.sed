# Joining two states forgets what only the other has at the end.
s|while (j < theirs->count)|while (false)|

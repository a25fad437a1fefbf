# What the author had seen last counts as unseen.
s|present->log > m->change->base|present->log >= m->change->base|

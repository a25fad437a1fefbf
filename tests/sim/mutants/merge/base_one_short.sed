# The first unseen write counts as seen.
s|present->log > m->change->base|present->log > m->change->base + 1|

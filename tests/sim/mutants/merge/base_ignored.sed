# Everything of another device counts as unseen.
s|present->log > m->change->base|present->log > 0|

# A device does not know its own writes.
s|present->log > m->change->base \&\& present->stamp.device != m->stamp.device|present->log > m->change->base|

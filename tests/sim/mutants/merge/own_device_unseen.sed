# A device does not know its own writes.
s|present->log > m->change->base \&\& is_of_another(m, present)|present->log > m->change->base|

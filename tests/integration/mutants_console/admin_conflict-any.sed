# A conflict is found by its number, whosever it is.
# run: scope.py
# by: conflict show
s|^	return e == ERR_OK && !sees ? ERR_NOTFOUND : e;|	return e;|

# A page of another site may send.
# run: console.py
# by: wanted 403
s|^	return is_from_here(r);|	return true;|

# Every role may everything.
# run: console.py
# by: wanted 403
s|^	if (r == NULL .. (r->roles & (1u << who->role)) == 0)|	if (r == NULL)|

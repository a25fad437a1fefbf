# Units that are taken away from an account stay.
# run: scope.py
# by: tells
s|^	enum err e = take_units(s, account->name);|	enum err e = ERR_OK;|

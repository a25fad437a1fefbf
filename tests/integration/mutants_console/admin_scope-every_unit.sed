# An account with units sees every unit.
# run: scope.py
# by: tells
s|^	return !admin_is_bound(call) ..$|	return (void)admin_is_bound(call), true \|\||

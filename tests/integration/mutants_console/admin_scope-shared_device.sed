# Who sees a device decides about it.
# run: scope.py
# by: of a shared device
s|^	\*ret_rules = rules;|	*ret_rules = true;|

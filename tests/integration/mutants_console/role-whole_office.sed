# An account with units has the whole office's commands.
# run: scope.py
# by: wanted 403
s|^	if (who->is_bound && r->reach == OFFICE)|	if (false)|

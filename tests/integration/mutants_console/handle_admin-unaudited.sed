# What was read leaves before its row of the audit, which never comes.
# run: console.py
# by: the audit
s|^	else if (c->is_ready && admin_wants_finish(&c->call))|	else if (false)|

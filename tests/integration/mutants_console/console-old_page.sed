# A page goes on as what its account was.
# run: scope.py
# by: told
s|^	events_account_changed(c->ctx->events, name);|	(void)0;|

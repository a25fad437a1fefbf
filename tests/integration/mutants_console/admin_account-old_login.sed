# A login goes on as what its account was.
# run: scope.py
# by: me:
s|^	if (call->ctx->console != NULL)|	if (false)|

# A change says that its author has seen writes that are still to come.
# by: O2|O7
s|return msg_cursor_whole(&ctx->cursors\[i\]);|return msg_cursor_whole(\&ctx->cursors[i]) + 3;|

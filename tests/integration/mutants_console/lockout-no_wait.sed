# Who guesses never waits, neither for the name nor for where he is.
# run: console.py
# by: tries were judged
s|^	t.wait_ms = wait_of(n, now_ms);|	t.wait_ms = 0;|
s|^	struct lockout_try t = {.wait_ms = wait_of(a, now_ms)};|	struct lockout_try t = {0};|

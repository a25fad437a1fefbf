# A login lasts for ever.
# run: console.py
# by: a login ends
s|^	return now_ms - g->seen_ms >= limits->idle_ms.*|	return false;|

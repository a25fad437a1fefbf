# A record that left goes at once, with changes that are not sent.
# by: O2|no such record|a change without its record
s|if (r->is_evicted && count == 0)|if (r->is_evicted)|

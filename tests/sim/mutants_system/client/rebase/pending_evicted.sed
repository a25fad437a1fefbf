# A record that left goes at once, with changes that are not sent.
# by: O2|no such record|a change without its record
s|if (count != 0)|if (count != 0 \&\& !r->is_evicted)|

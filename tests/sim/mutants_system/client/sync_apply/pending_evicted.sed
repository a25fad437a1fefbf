# A record that left goes at once, with changes that are not sent.
s|if (r->is_evicted && count == 0)|if (r->is_evicted)|

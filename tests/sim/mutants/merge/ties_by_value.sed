# Equal clocks of two devices are decided by the value.
s|int order = stamp_compare(&a->stamp, &b->stamp);|int order = (a->stamp.clock > b->stamp.clock) - (a->stamp.clock < b->stamp.clock);|

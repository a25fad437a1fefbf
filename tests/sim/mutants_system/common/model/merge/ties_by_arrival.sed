# Equal clocks of two devices: the one that arrives last wins.
# args: --clients 3 --steps 60 --seed 29
# by: O1|O9
s|int order = stamp_compare(&a->stamp, &b->stamp);|int order = (a->stamp.clock > b->stamp.clock) - (a->stamp.clock < b->stamp.clock);|
s|return value_compare(&a->value, &b->value);|return 1;|

# An edit made before its author could know of the transfer is refused.
# by: O7
s|\*ret_may = true;|*ret_may = false;|

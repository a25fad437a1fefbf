# An edit made before its author could know of the transfer is refused.
s|\*ret_may = true;|*ret_may = false;|

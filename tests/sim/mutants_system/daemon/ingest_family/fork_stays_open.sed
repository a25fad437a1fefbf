# What waits of a fork stays in quarantine, also when its home has sent it again.
# args: --with releases
# by: O10
s|!is_same_change(&kept, c))|!is_same_change(\&kept, c) \|\| c != NULL)|

# A record that a device's push brings from another unit counts as known to it.
# by: O1|O9
s|r->is_own_partial .= applied.merged.is_moved;||

# A request that a file overtook is taken for that of a disk which was rolled back.
# args: --with files --seed 215
# by: FAILED
s|device.id.counter >= b->number)|device.id.counter < UINT64_MAX)|

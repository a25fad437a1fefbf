# A request that a file overtook is taken for that of a disk which was rolled back.
# args: --with files --seed 409
# by: AUTH: the office: forked
s|device.id.counter >= b->number)|device.id.counter < UINT64_MAX)|

# What another copy of its disk wrote and moved away a released device is not told to forget.
# args: --with releases --seed 267
# by: O1|O6|O9
s|p->device.former == 0|p->device.former < UINT32_MAX|

# Devices are told that an erased record left their scope.
# args: --with erasures
# by: O11
s|\.is_erased = true;|.is_erased = false;|

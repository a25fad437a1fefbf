#!/bin/sh
# expect_found - run a program with a planted bug; succeed when it finds it, and only then.
# usage: expect_found.sh PROGRAM ARGUMENT...
out=$("$@" 2>&1)
status=$?
echo "$out"
[ "$status" -eq 1 ] || { echo "exit $status, wanted 1: the planted bug was not found" >&2; exit 1; }
case $out in
*"FAILED seed="* | *"FAILED (seed "*) exit 0 ;;
esac
echo "exit 1 without a failed property" >&2
exit 1

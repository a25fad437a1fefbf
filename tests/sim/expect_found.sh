#!/bin/sh
# expect_found - run a program with a planted bug; succeed when it is found by the property named, and
# only then, and the same run of the sound program finds nothing.
# usage: expect_found.sh [--by PATTERN] [--sound PROGRAM ONE] PROGRAM ARGUMENT...
#   PATTERN  extended regular expression: what the line that tells of the failure must match
#   ONE      what, behind the same arguments and --seed of the failed run, makes it the only run
set -u
by=.
sound=
one=
while :; do
	case $1 in
	--by) by=$2; shift 2 ;;
	--sound) sound=$2; one=$3; shift 3 ;;
	*) break ;;
	esac
done
out=$("$@" 2>&1)
status=$?
echo "$out"
[ "$status" -eq 1 ] || { echo "exit $status, wanted 1: the planted bug was not found" >&2; exit 1; }
failed=$(echo "$out" | grep -E 'FAILED (seed=|\(seed )' | head -1)
[ -n "$failed" ] || { echo "exit 1 without a failed property" >&2; exit 1; }
echo "$failed" | grep -Eq -- "$by" || { echo "found by something else than $by" >&2; exit 1; }
[ -n "$sound" ] || exit 0
seed=$(echo "$failed" | sed 's/.*FAILED seed=\([0-9]*\).*/\1/')
shift
# shellcheck disable=SC2086 # ONE is several arguments
"$sound" "$@" --seed "$seed" $one || { echo "the sound program fails with seed $seed, too" >&2; exit 1; }

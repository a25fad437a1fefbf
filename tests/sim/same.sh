#!/bin/sh
# same - each seed is one history: one after the other in one process, and each in a process of its
# own, with another salt, from the last to the first.
# usage: same.sh [--control] PROGRAM FIRST COUNT [ARGUMENT...]
#   --control  succeed only when the histories differ
set -u
control=
[ "$1" = --control ] && { control=yes; shift; }
program=$1
first=$2
count=$3
shift 3
together=$("$program" --seed "$first" --runs "$count" --hash --quiet "$@") || { echo "$together"; exit 1; }
# What ASan gives out holds other bytes, too; without it the salt sees to that.
ASAN_OPTIONS="${ASAN_OPTIONS:-}:max_malloc_fill_size=67108864:malloc_fill_byte=90"
export ASAN_OPTIONS
alone=
seed=$((first + count - 1))
while [ "$seed" -ge "$first" ]; do
	one=$("$program" --seed "$seed" --runs 1 --salt "$seed" --hash --quiet "$@") || { echo "$one"; exit 1; }
	alone="$one${alone:+
$alone}"
	seed=$((seed - 1))
done
[ "$(echo "$together" | grep -c history=)" -eq "$count" ] || { echo "not $count histories"; exit 1; }
[ "$(echo "$together" | sed 's/.*history=//' | sort -u | wc -l)" -eq "$count" ] ||
	{ echo "two seeds have one history"; exit 1; }
printf '%s\n%s\n' "$together" "$alone"
if [ "$together" = "$alone" ]; then
	[ -z "$control" ] || { echo "the control has the same histories" >&2; exit 1; }
else
	[ -n "$control" ] || { echo "the histories differ" >&2; exit 1; }
fi

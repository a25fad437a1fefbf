#!/bin/sh
# mutate - plant one bug: apply a sed script to a source file, fail when it changes nothing.
# usage: mutate.sh SCRIPT.sed SOURCE.c OUT.c
set -eu
sed -f "$1" "$2" >"$3.tmp"
# Each rule of the script must have found its line, or the bug planted is another one.
rules=$(grep -c '^s|' "$1")
changed=$(diff "$2" "$3.tmp" | grep -c '^>' || true)
if [ "$changed" -lt "$rules" ]; then
	echo "$1: changes $changed of $rules places; the source has moved on, mend the script" >&2
	rm -f "$3.tmp"
	exit 1
fi
mv "$3.tmp" "$3"

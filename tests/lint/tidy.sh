#!/bin/sh
# tidy - fail when clang-tidy 14 objects to a source file of the product.
# usage: tidy.sh <repository root> <build folder>
#
# A file that passed is asked again only when it, a header or the rules changed since: the stamps
# are in the build folder.
set -eu
cd "$1"
build=$2
command -v clang-tidy-14 >/dev/null || { echo "clang-tidy-14 is not installed"; exit 77; }
stamps=$build/tidy
mkdir -p "$stamps"

newest=$(find common proto daemon client admin .clang-tidy -name '*.h' -newer "$stamps/.headers" 2>/dev/null | head -n 1)
if [ ! -f "$stamps/.headers" ] || [ -n "$newest" ] || [ .clang-tidy -nt "$stamps/.headers" ]; then
	rm -rf "$stamps"
	mkdir -p "$stamps"
	touch "$stamps/.headers"
fi

one='
file=$3
stamp=$1/$(echo "$file" | tr / _)
[ ! "$stamp" -nt "$file" ] || exit 0
if out=$(clang-tidy-14 -p "$2" --quiet --extra-arg=-Wno-unknown-warning-option "$file" 2>/dev/null); then
	touch "$stamp"
else
	printf "%s\n" "$out"
	exit 1
fi
'
find common proto daemon client admin -name '*.c' |
	xargs -P "$(nproc)" -n 1 sh -c "$one" tidy "$stamps" "$build"

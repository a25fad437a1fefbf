#!/bin/sh
# format - fail when clang-format 14 would change a file.
# usage: format.sh <repository root>
set -eu
cd "$1"
command -v clang-format-14 >/dev/null || { echo "clang-format-14 is not installed"; exit 77; }
find common proto daemon client admin tests -name '*.[ch]' -print0 |
	xargs -0 clang-format-14 --dry-run --Werror

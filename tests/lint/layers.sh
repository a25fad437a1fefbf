#!/bin/sh
# layers - fail when a source file reaches where its folder may not.
# usage: layers.sh <repository root>
set -eu
cd "$1"
bad=0
dirs=
for d in common proto daemon client admin; do
	[ -d "$d" ] && dirs="$dirs $d"
done

# folder -> project folders it may include besides itself
allow() {
	case $1 in
	common) echo "" ;;
	proto) echo "common" ;;
	daemon | client | admin) echo "proto common" ;;
	esac
}

for d in $dirs; do
	for f in $(find "$d" -name '*.[ch]'); do
		for inc in $(sed -n 's/^#include "\([a-z]*\)\/.*/\1/p' "$f"); do
			case " $d $(allow "$d") " in
			*" $inc "*) ;;
			*) echo "$f: $d/ may not include $inc/"; bad=1 ;;
			esac
		done
	done
done

# only <pattern of files> may contain <pattern of text>
only() {
	found=$(grep -rlE --include='*.[ch]' "$2" $dirs | grep -vE "$1" || true)
	[ -z "$found" ] || { echo "$found: only $1 may use $2"; bad=1; }
}
only '^daemon/(main|app|loop|writer|child|http|http_private)\.[ch]$' '^#include <uv\.h>'
only '^daemon/http(_stream)?\.c$' '^#include <microhttpd\.h>'
only '^(daemon/(store|schema_sql)[a-z_]*|client/vault[a-z_]*)\.c$' '^#include <sqlite3\.h>'
only '^((client|admin)/transport|daemon/alert_wire)\.c$' '^#include <curl/'
only '^common/report/xlsx\.c$' '^#include <xlsxwriter'
only '^proto/(pack|unpack)\.c$' '^#include <msgpack'
# frames of the wire; rows of the store, with contexts that are kept
only '^(proto/squeeze|daemon/store[a-z_]*)\.c$' '^#include <zstd'
only '^common/model/schema[a-z_]*\.c$|^daemon/config\.c$' '^#include <yaml\.h>'
only '^common/model/vntext[a-z_]*\.c$' '^#include <utf8proc\.h>'
only '^daemon/notify\.c$' '^#include <systemd/'
only '^common/base/(crypt|letter|rand)\.c$' '^#include <sodium\.h>'
only '^common/base/(clock|rand)\.c$' \
	'(^|[^a-z_])(time|clock_gettime|gettimeofday|uv_now|uv_hrtime|rand|random)\('

exit $bad

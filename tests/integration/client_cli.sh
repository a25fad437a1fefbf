#!/bin/sh
# client_cli - the commands of ctxh on a home folder without an office.
# usage: client_cli.sh <folder with ctxh and make_home>
set -eu
bin=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
printf 'thu nghiem\n' >"$work/pass"
export CTXH_PASSPHRASE_FILE="$work/pass"
home=$work/home
"$bin/make_home" "$home" 5
ctxh() { "$bin/ctxh" --home "$home" "$@"; }

fail() {
	echo "FAILED: $1"
	exit 1
}

# expect <exit code> <what> <command ...>
expect() {
	want=$1
	what=$2
	shift 2
	set +e
	"$@" >"$work/out" 2>"$work/err"
	got=$?
	set -e
	[ "$got" -eq "$want" ] || { cat "$work/out" "$work/err"; fail "$what: exit $got, wanted $want"; }
}

says() { grep -q "$1" "$work/out" "$work/err" || { cat "$work/out" "$work/err"; fail "no “$1” in: $what"; }; }

expect 0 "add prints the id" ctxh add person full_name="Điểu K'Ré" birth_date=1950
grep -Eq '^[0-9a-f]{32}$' "$work/out" || fail "no id printed"
id=$(cat "$work/out")

expect 4 "a likely double is told" ctxh add person "Họ và tên=dieu k're"
says "$id"
expect 0 "and saved when it is another person" ctxh add person full_name="dieu k're" --even-so

expect 4 "a double is found whatever the order of the fields" ctxh add person sex=nam \
	birth_date=1950 full_name="Điểu K'Ré" hamlet="Ấp 1"
expect 2 "a record that says nothing is not saved" ctxh add person
expect 2 "nor one of empty values" ctxh add person full_name=
expect 1 "a register is not voided" ctxh void "$id" --why "nhầm"
says 'only an event'
expect 1 "a wrong code is answered with the right ones" ctxh add person full_name=X sex=trai
says 'male (Nam)'
expect 1 "a wrong date with how to write one" ctxh add person full_name=X birth_date=32/13/1950
says '31/12/1950'
expect 0 "an age is said of today" ctxh add person full_name="Bà Chín" birth_date="70 tuổi"
expect 0 "and kept with the day" ctxh show "$(cat "$work/out")" --format json
grep -Eq '"birth_date":"~70@20[0-9]{2}-' "$work/out" || fail "no estimated age"
expect 0 "show for people has labels" ctxh show "$id"
says 'Họ và tên / Full name'
says 'chưa gửi'
expect 0 "show as CSV has a heading" ctxh show "$id" --format csv
head -n 1 "$work/out" | grep -q '^id,unit,sync,full_name,' || fail "no CSV heading"
tail -n 1 "$work/out" | grep -q "^$id,.*,draft," || fail "no CSV row"
expect 0 "a type for people names its codes" ctxh types show person
says 'female  *Nữ'
expect 0 "a type for programs has a row a field" ctxh types show person --format csv
says '^sex,Giới tính,Sex,code,false,sex,,male,female\|^sex,Giới tính,Sex,code,false,sex,,"male,'
expect 0 "words are found in any order" ctxh search "k're dieu"
says "$(echo "$id" | cut -c 1-16)"
expect 2 "nothing is no search" ctxh search ""
expect 0 "nothing found is said" ctxh search "không hề có ai"
says 'No records'

expect 0 "search without diacritics" ctxh search "dieu k" --format json
says "$id"
expect 0 "exact hits come first" ctxh search "Điểu K'Ré" --format json
head -n 1 "$work/out" | grep -q "$id" || fail "the exact hit is not first"

expect 1 "a wrong value is refused" ctxh edit "$id" identity_number=12
expect 2 "an unknown field is a usage error" ctxh edit "$id" nosuch=1
expect 2 "a reason is needed" ctxh delete "$id"
expect 0 "delete" ctxh delete "$id" --why "nhập nhầm"
expect 0 "deleted records are hidden" ctxh list person --format json
grep -q "$id" "$work/out" && fail "a deleted record is listed"
expect 0 "undelete" ctxh undelete "$id"
expect 0 "and shown again" ctxh list person --format json
says "$id"

expect 0 "export" ctxh export person -o "$work/people.csv"
[ "$(stat -c %a "$work/people.csv")" = 600 ] || fail "others may read the export"
expect 1 "a file that cannot be written is named" ctxh export person -o "$work/none/people.csv"
says "$work/none/people.csv"
for value in x -1 1x 99999999999999999999; do
	expect 2 "a mistyped limit is a usage error" ctxh list person --limit="$value"
	expect 2 "and mistyped bytes are" ctxh sync --max-bytes="$value"
done
expect 2 "no bytes are none" ctxh sync --max-bytes 0
for command in "list person" "show $id" status inbox types "search an" receipts "author list"; do
	expect 2 "a format that is none: $command" ctxh $command --format xml
done
expect 2 "what is no number of a notice" ctxh inbox show x
expect 0 "import takes it back unchanged" ctxh import person "$work/people.csv" --dry-run --format csv
grep -Ev '^file|,same,' "$work/out" | grep -q . && fail "an exported row is not the same"

# What does not count is in no sheet: whoever adds up its rows would count it.
other=$(ctxh add person full_name="Người Ghi Hai Lần" --even-so)
expect 0 "a double is joined" ctxh join "$id" "$other"
event=$(ctxh add intervention person="$id" kind=EMG_RICE given_on=2025-05-03 rice_kg=15)
expect 0 "an event is voided" ctxh void "$event" --why "nhập nhầm"
expect 0 "export of people" ctxh export person
grep -q "$id" "$work/out" || fail "a person is not in the export"
grep -q "$other" "$work/out" && fail "a joined double is in the export"
expect 0 "export of events" ctxh export intervention
grep -q "$event" "$work/out" && fail "a voided event is in the export"

printf 'id,full_name,birth_date,identity_number\n' >"$work/new.csv"
{
	printf '%s,Điểu K'"'"'Ré Lớn,,\n' "$id"
	printf ',Hoàn Toàn Mới,1999,\n'
	printf ',DIEU K'"'"'RE,1950,\n'
	printf ',Sai Số,,12\n'
} >>"$work/new.csv"
expect 4 "a dry run tells every row" ctxh import person "$work/new.csv" --dry-run --format csv
for word in change new 'double?' refused; do
	grep -Fq ",$word," "$work/out" || fail "no row is $word"
done
expect 0 "and saves nothing" ctxh search "Hoàn Toàn Mới" --format json
grep -q 'Hoàn' "$work/out" && fail "a dry run saved a record"
expect 4 "the real one saves what is fine" ctxh import person "$work/new.csv"
expect 0 "it is there" ctxh search "Hoàn Toàn Mới" --format json
says 'Hoàn Toàn Mới'
expect 1 "a heading that is no field stops all" ctxh import person "$work/pass"

# As a spreadsheet of Viet Nam writes it: BOM, semicolons, CRLF, commas in names, empty rows.
printf '\357\273\277Họ và tên;Ngày sinh;Giới tính;Thu nhập mỗi tháng (đồng);Thôn, ấp, khu phố\r\n' >"$work/excel.csv"
{
	printf 'Nguyễn Văn Bình;02/03/1960;Nam;1.500.000;"Ấp 1; Sóc"\r\n;;;;\r\n\r\n'
	printf 'nguyen van binh;1960;;;\r\nTrần Thị Lỗi;32/13/1960;;;\r\n'
} >>"$work/excel.csv"
expect 4 "a messy sheet" ctxh import "Đối tượng (người)" "$work/excel.csv" --format csv
says 'excel.csv,5,double?,'
says 'excel.csv,6,refused,'
grep -c '' "$work/out" | grep -qx 3 || fail "an empty row was told"
says 'mới 1, như cũ 0, sửa 0, có thể trùng 1, không nhận 1'
expect 0 "its values are canonical" ctxh list person --where "full_name=Nguyễn Văn Bình" --format json
says '"birth_date":"1960-03-02".*"hamlet":"Ấp 1; Sóc","monthly_income":1500000,"sex":"male"'

cat >"$work/any.csv" <<'EOF'
type,id,full_name,head_name,birth_date
household,018bcfe5680070008000000000000001,,Nguyễn Văn Hộ,
person,018bcfe5680070008000000000000002,Nguyễn Văn Nhiều,,1961
spaceship,,x,,
household,018bcfe5680070008000000000000003,Người ở ô sai,,
EOF
expect 4 "rows of many types, each where it belongs" ctxh import any "$work/any.csv" --format csv
says "any.csv,4,refused,.*no such record type"
says "any.csv,5,refused,.*another record type"
expect 0 "the good household is saved" ctxh show 018bcfe5680070008000000000000001
expect 0 "the good person is saved" ctxh show 018bcfe5680070008000000000000002
expect 1 "the bad one is not" ctxh show 018bcfe5680070008000000000000003
sed -i '4,5d' "$work/any.csv"
expect 0 "the same file again changes nothing" ctxh import any "$work/any.csv" --dry-run --format csv
grep -c ',same,' "$work/out" | grep -qx 2 || fail "not the same"

expect 3 "no office, no loss" ctxh sync
expect 0 "status" ctxh status --format json
says '"waiting": '

printf 'sai\n' >"$work/wrong"
expect 1 "a wrong passphrase is said plainly" env CTXH_PASSPHRASE_FILE="$work/wrong" \
	"$bin/ctxh" --home "$home" status
says 'wrong passphrase'

expect 0 "unlock" ctxh unlock
expect 0 "the agent has the key" env -u CTXH_PASSPHRASE_FILE "$bin/ctxh" --home "$home" status
expect 0 "lock" ctxh lock
printf 'mat khau moi\n' >"$work/new-pass"
expect 0 "passphrase" env CTXH_NEW_PASSPHRASE_FILE="$work/new-pass" "$bin/ctxh" --home "$home" passphrase
expect 1 "the old one is over" ctxh status
CTXH_PASSPHRASE_FILE=$work/new-pass
expect 0 "verify" ctxh verify

printf 'this is no vault' | dd of="$home/vault.db" conv=notrunc bs=1 2>/dev/null
rm -f "$home/vault.db-wal"
expect 1 "a damaged vault is set aside" ctxh status
ls "$home"/vault.db.damaged-* >/dev/null || fail "the damaged file is gone"
echo "client_cli: ok"

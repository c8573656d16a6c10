#!/bin/bash
# What is written agrees with the programs; and make install puts everything where the units and pages look for it.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"
build=${B:-$top/build}
ctl=${STACK_BIN:-$build/test}/scepctl
[ -x "$ctl" ] || skip_all "the programs are not built"

it_has_every_setting_in_docs_settings() {
	"$top/scripts/settings-page" "$ctl" >"$work/settings.md"
	diff "$top/docs/settings.md" "$work/settings.md" || fail "docs/settings.md is not fresh: make docs"
}

it_has_every_verb_in_the_man_page_of_scepctl() {
	local verb
	command -v groff >/dev/null || skip "groff is not installed"
	"$ctl" --help | sed -n 's/^  \([a-z-]*\( [a-z-]*\)\{0,1\}\) .*/\1/p' >"$work/verbs"
	check test "$(wc -l <"$work/verbs")" -ge 20
	man_text scepctl.1 >"$work/page"
	while read -r verb; do
		set -- $verb
		# "profile enable, disable, show" is one entry.
		grep -qE "^ *$1( |,|$)" "$work/page" && grep -qwF -- "${2-$1}" "$work/page" || fail "$verb is not in scepctl.1"
	done <"$work/verbs"
}

it_formats_the_man_pages_without_a_warning() {
	local page
	command -v groff >/dev/null || skip "groff is not installed"
	for page in "$top"/docs/man/*; do
		equal '' "$(man_text "${page##*/}" 2>&1 >/dev/null)" "warnings of ${page##*/}"
	done
}

man_text() {
	groff -mandoc -Tutf8 -ww -P-cbou -K utf8 "$top/docs/man/$1"
}

it_has_no_link_to_a_file_that_is_not_there() {
	local page target
	for page in "$top"/*.md "$top"/docs/*.md "$top"/docs/*/*.md; do
		grep -oE '\]\([^)# ]+' "$page" | sed 's/^](//' | while read -r target; do
			case $target in
			http:* | https:* | mailto:*) ;;
			*) [ -e "$(dirname "$page")/$target" ] || fail "${page#"$top/"}: $target is not there" ;;
			esac
		done
	done
}

it_names_no_file_in_backquotes_that_is_not_there() {
	local page name
	for page in "$top"/README.md "$top"/CONTRIBUTING.md; do
		grep -oE '`(shared|fcgi-scep|fcgi-admin|nginx|schema|tests|docs|scripts|systemd|docker)/[A-Za-z0-9_./-]*`' "$page" | tr -d '`' |
			while read -r name; do
				[ -e "$top/$name" ] || fail "${page#"$top/"}: $name is not there"
			done
	done
}

# tests_named FILE: those that it names as `unit/test_x: y`, `e2e/x: it_y` or `clients/x: it_y`, a line each.
tests_named() {
	grep -oE '`(unit|e2e|clients)/[a-z0-9_]+: [A-Za-z0-9_]+`' "$1" | tr -d '`' | sort -u
}

# is_test FILE NAME: a test in shell is a function it_…; one in C a function that is in its file's list too.
is_test() {
	local file=$top/tests/$1
	case $2 in
	it_*) grep -qsE "^$2\(\)" "$file.sh" ;;
	*) [ "$(grep -csw -- "$2" "$file.c")" -ge 2 ] && grep -qE "^$2\(void \*\*" "$file.c" ;;
	esac
}

# unknown_tests FILE: those that are named in it and are none; and the lines of its tables of clauses that name no test at all.
unknown_tests() {
	local file name
	tests_named "$1" | while IFS=': ' read -r file name; do
		is_test "$file" "$name" || echo "$file: $name"
	done
	grep -E '^\| [2-7][0-9.]* \| (MUST|SHOULD|MAY|RECOMMENDED|OPTIONAL)' "$1" | grep -vE '`(unit|e2e|clients)/[a-z0-9_]+: ' || true
}

it_names_no_test_in_docs_conformance_that_is_not_there() {
	check test "$(tests_named "$top/docs/conformance.md" | wc -l)" -ge 100
	equal '' "$(unknown_tests "$top/docs/conformance.md")" "tests that are not there, clauses without a test"
}

it_notices_a_test_that_is_not_there_and_a_clause_without_one() {
	local page=$work/conformance.md
	cp "$top/docs/conformance.md" "$page"
	echo 'shown by `e2e/documents: it_never_was`, `unit/test_nothing: at_all` and `unit/test_scep_names: setup`' >>"$page"
	equal $'e2e/documents: it_never_was\nunit/test_nothing: at_all\nunit/test_scep_names: setup' "$(unknown_tests "$page")" "what is noticed"
	echo '| 7.9 | MUST | nobody | knows | why |' >"$page"
	equal '| 7.9 | MUST | nobody | knows | why |' "$(unknown_tests "$page")" "what is noticed"
}

it_installs_what_the_units_start() {
	local unit program
	check make -s -C "$top" B="$build" install DESTDIR="$work/root" PREFIX=/usr
	for unit in "$work"/root/usr/lib/systemd/system/*.service; do
		no_match '@PREFIX@' "$(cat "$unit")" "${unit##*/}"
		sed -n 's/^Exec[A-Za-z]*=\(\/usr\/[^ ]*\).*/\1/p' "$unit" | while read -r program; do
			case $program in
			/usr/bin/redis-server | /usr/sbin/nginx) ;;
			*) check test -x "$work/root$program" ;;
			esac
		done
	done
	for program in bin/scepctl sbin/fcgi-scep sbin/fcgi-admin share/man/man1/scepctl.1 share/man/man8/fcgi-scep.8 share/man/man8/fcgi-admin.8 \
		share/fcgi-scep/settings.env share/fcgi-scep/nginx/nginx.conf.in lib/sysusers.d/fcgi-scep.conf lib/tmpfiles.d/fcgi-scep.conf \
		share/doc/fcgi-scep/README.md; do
		check test -s "$work/root/usr/$program"
	done
}

it_ships_settings_that_the_programs_take() {
	check "$ctl" --settings "$top/systemd/settings.env" settings --env
	check "$ctl" --settings "$top/docker/settings.env" settings --env
}

it_ships_units_that_systemd_understands() {
	command -v systemd-analyze >/dev/null || skip "systemd-analyze is not installed"
	local said
	mkdir -p "$work/units"
	for unit in "$top"/systemd/*.service "$top"/systemd/*.socket "$top"/systemd/*.target; do
		sed 's,@PREFIX@,/usr,g' "$unit" >"$work/units/${unit##*/}"
	done
	said=$(cd "$work/units" && systemd-analyze verify --man=no ./*.service ./*.socket ./*.target 2>&1 | grep -v 'is not executable') || true
	no_match 'fcgi-' "$said" "systemd-analyze verify"
}

it_ships_units_that_are_locked_down() {
	command -v systemd-analyze >/dev/null || skip "systemd-analyze is not installed"
	mkdir -p "$work/units"
	for unit in "$top"/systemd/*.service; do
		sed 's,@PREFIX@,/usr,g' "$unit" >"$work/units/${unit##*/}"
		# Exposure from 0, the least, to 10: 2.0 and less is what systemd calls OK or SAFE.
		check systemd-analyze security --offline=yes --threshold=20 "$work/units/${unit##*/}" >"$work/security.txt"
	done
}

it_ships_a_compose_file_that_docker_compose_takes() {
	command -v docker-compose >/dev/null || skip "docker-compose is not installed"
	(cd "$top" && check docker-compose config -q)
}

run_tests "$@"

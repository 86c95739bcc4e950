# shellcheck shell=sh
# What Faultline needs to be built and tested, on every system we know, and how to get it. Sourced by
# examples/quickstart.sh, tests/run.sh and .ci/run; POSIX sh.
#
#   deps_ensure NEED...   makes sure that the needs are met: says what is missing, says what it would install, installs
#                         it with apt-get where it may (as root or with passwordless sudo). Returns 1 with exact
#                         instructions if something required is still missing.
#   deps_generator        exports CMAKE_GENERATOR=Ninja where there is a ninja
#
# A need is a name in the tables below. A name that ends in "?" is optional: without it some tests are skipped, loudly.

# Is it there? Probes look for what is used, not for a package: a compiler from anywhere will do.
deps_has() {
	case $1 in
	cc) deps_compiles ;;
	cmake) deps_cmake_is_new_enough ;;
	ninja) command -v ninja >/dev/null 2>&1 || command -v make >/dev/null 2>&1 ;;
	pkg-config) command -v pkg-config >/dev/null 2>&1 ;;
	cjson) pkg-config --exists libcjson 2>/dev/null ;;
	zlib) pkg-config --exists zlib 2>/dev/null ;;
	zstd) pkg-config --exists libzstd 2>/dev/null ;;
	sqlite) pkg-config --exists sqlite3 2>/dev/null ;;
	ncurses) pkg-config --exists ncursesw 2>/dev/null ;;
	vterm) pkg-config --exists vterm 2>/dev/null ;;
	zydis) echo '#include <Zydis/Zydis.h>' | "${CC:-cc}" -E - >/dev/null 2>&1 ;;
	cmocka) pkg-config --exists cmocka 2>/dev/null ;;
	python3) command -v python3 >/dev/null 2>&1 ;;
	jsonschema) python3 -c 'import jsonschema' 2>/dev/null || /usr/bin/python3 -c 'import jsonschema' 2>/dev/null ;;
	clang) command -v clang >/dev/null 2>&1 ;;
	chromium) command -v chromium >/dev/null 2>&1 || command -v chromium-browser >/dev/null 2>&1 ||
		command -v google-chrome >/dev/null 2>&1 ;;
	clang-format | gcovr | mandoc) command -v "$1" >/dev/null 2>&1 ;;
	*)
		echo "deps.sh: no need is called $1" >&2
		return 2
		;;
	esac
}

# The headers of the C library come in a package of their own on some systems, so a compiler alone is not enough.
deps_compiles() {
	echo '#include <stdio.h>' | "${CC:-cc}" -E - >/dev/null 2>&1
}

deps_cmake_is_new_enough() {
	deps_version=$(cmake --version 2>/dev/null | sed -n 's/^cmake version \([0-9]*\)\.\([0-9]*\).*/\1 \2/p')
	[ -n "$deps_version" ] || return 1
	[ "${deps_version% *}" -gt 3 ] || { [ "${deps_version% *}" -eq 3 ] && [ "${deps_version#* }" -ge 25 ]; }
}

# deps_packages SYSTEM NEED: the packages that meet a need. Columns: Debian and Ubuntu, Fedora, Arch, Alpine, Homebrew.
deps_packages() {
	deps_row=$(
		case $2 in
		cc) echo "gcc libc6-dev | gcc | gcc | gcc musl-dev |" ;;
		cmake) echo "cmake | cmake | cmake | cmake | cmake" ;;
		ninja) echo "ninja-build | ninja-build | ninja | ninja | ninja" ;;
		pkg-config) echo "pkg-config | pkgconf-pkg-config | pkgconf | pkgconf | pkgconf" ;;
		cjson) echo "libcjson-dev | cjson-devel | cjson | cjson-dev | cjson" ;;
		zlib) echo "zlib1g-dev | zlib-devel | zlib | zlib-dev | zlib" ;;
		zstd) echo "libzstd-dev | libzstd-devel | zstd | zstd-dev | zstd" ;;
		ncurses) echo "libncurses-dev | ncurses-devel | ncurses | ncurses-dev | ncurses" ;;
		vterm) echo "libvterm-dev | libvterm-devel | libvterm | libvterm-dev | libvterm" ;;
		zydis) echo "libzydis-dev | zydis-devel | zydis | zydis-dev | zydis" ;;
		sqlite) echo "libsqlite3-dev | sqlite-devel | sqlite | sqlite-dev | sqlite" ;;
		cmocka) echo "libcmocka-dev | libcmocka-devel | cmocka | cmocka-dev | cmocka" ;;
		python3) echo "python3 | python3 | python | python3 | python" ;;
		jsonschema) echo "python3-jsonschema | python3-jsonschema | python-jsonschema | py3-jsonschema |" ;;
		clang) echo "clang libclang-rt-dev | clang compiler-rt | clang compiler-rt | clang compiler-rt | llvm" ;;
		clang-format) echo "clang-format | clang-tools-extra | clang | clang-extra-tools | clang-format" ;;
		gcovr) echo "gcovr | gcovr | gcovr | gcovr | gcovr" ;;
		chromium) echo "chromium | chromium | chromium | chromium |" ;;
		mandoc) echo "mandoc | mandoc | mandoc | mandoc | mandoc" ;;
		esac
	)
	case $1 in
	debian) deps_column=1 ;;
	fedora) deps_column=2 ;;
	arch) deps_column=3 ;;
	alpine) deps_column=4 ;;
	homebrew) deps_column=5 ;;
	esac
	echo "$deps_row" | cut -d '|' -f "$deps_column"
}

# deps_command SYSTEM NEED...: the command that installs them there.
deps_command() {
	deps_system=$1
	shift
	deps_list=""
	for deps_need in "$@"; do
		deps_list="$deps_list $(deps_packages "$deps_system" "$deps_need")"
	done
	# Unquoted: squeezes the blanks.
	# shellcheck disable=SC2086
	set -- $deps_list
	case $deps_system in
	debian) echo "apt-get update; apt-get install -y --no-install-recommends $*" ;;
	fedora) echo "dnf install -y $*" ;;
	arch) echo "pacman -S --needed --noconfirm $*" ;;
	alpine) echo "apk add $*" ;;
	homebrew) echo "xcode-select --install; brew install $*" ;;
	esac
}

# The prefix that makes a command run as root without a question; fails where there is none.
deps_root_prefix() {
	if [ "$(id -u)" -eq 0 ]; then
		echo "env"
	elif sudo -n true 2>/dev/null; then
		echo "sudo -n env"
	else
		return 1
	fi
}

# deps_line TITLE SYSTEM NEED...: one line of instructions; none if the system has no package for any of them.
deps_line() {
	deps_title=$1
	shift
	deps_do=$(deps_command "$@")
	case $deps_do in
	*' ') ;;
	*) printf '    %-26s%s\n' "$deps_title:" "$deps_do" ;;
	esac
}

deps_explain() {
	echo "To install what is missing, run as root:"
	deps_line "Debian 12, Ubuntu 24.04" debian "$@"
	deps_line "Fedora" fedora "$@"
	deps_line "Arch" arch "$@"
	deps_line "Alpine" alpine "$@"
	deps_line "macOS, but not as root" homebrew "$@"
}

deps_install() {
	deps_as_root=$(deps_root_prefix) || return 1
	command -v apt-get >/dev/null 2>&1 || return 1
	deps_do=$(deps_command debian "$@")
	echo "Installing it now: $deps_do"
	# $deps_as_root is one or more words; the package names come from the table above.
	# shellcheck disable=SC2086
	$deps_as_root DEBIAN_FRONTEND=noninteractive sh -c "$deps_do" </dev/null
}

# deps_missing NEED...: prints those that are not met.
deps_missing() {
	for deps_need in "$@"; do
		deps_has "${deps_need%\?}" || echo "$deps_need"
	done
}

deps_ensure() {
	deps_lack=$(deps_missing "$@")
	[ -n "$deps_lack" ] || return 0
	# shellcheck disable=SC2086
	set -- $deps_lack
	deps_plain=$(echo "$*" | tr -d '?')
	echo "Missing: $deps_plain"
	# shellcheck disable=SC2086
	if ! deps_install $deps_plain; then
		# shellcheck disable=SC2086
		deps_explain $deps_plain
	fi
	deps_lack=""
	for deps_need in $(deps_missing "$@"); do
		case $deps_need in
		*\?) echo "Going on without ${deps_need%\?}: what needs it will be skipped." ;;
		*) deps_lack="$deps_lack $deps_need" ;;
		esac
	done
	[ -z "$deps_lack" ] || {
		echo "Still missing:$deps_lack. Install it as said above, then run this again." >&2
		return 1
	}
}

deps_generator() {
	if command -v ninja >/dev/null 2>&1; then
		CMAKE_GENERATOR=${CMAKE_GENERATOR:-Ninja}
		export CMAKE_GENERATOR
	fi
}

deps_jobs() {
	getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2
}

#!/bin/sh
# Builds everything and runs all tests. From a fresh checkout: sh tests/run.sh
# Installs what is missing where it may; see scripts/deps.sh for what that is.
# FAULTLINE_PRESET chooses another preset than debug; arguments go to ctest.
set -eu
cd "$(dirname "$0")/.."
. scripts/deps.sh

preset=${FAULTLINE_PRESET:-debug}

deps_ensure cc cmake ninja pkg-config cjson zlib zstd zydis sqlite ncurses cmocka python3 'jsonschema?' 'vterm?'
deps_generator
cmake --preset "$preset"
cmake --build "build/$preset" --parallel "$(deps_jobs)"
exec ctest --test-dir "build/$preset" --output-on-failure --parallel "$(deps_jobs)" "$@"

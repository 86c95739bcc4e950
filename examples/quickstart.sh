#!/bin/sh
# Builds Faultline and replays a first workload. From a fresh checkout: sh examples/quickstart.sh
# Installs what is missing where it may; see scripts/deps.sh for what that is.
set -eu
cd "$(dirname "$0")/.."
. scripts/deps.sh

workload=workloads/first-malloc.json

deps_ensure cc cmake ninja pkg-config cjson zlib zstd zydis sqlite ncurses cmocka
deps_generator
cmake --preset release
cmake --build build/release --target faultline_program --parallel "$(deps_jobs)"

echo
echo "\$ build/release/faultline run $workload --story"
build/release/faultline run "$workload" --story
echo
echo "\$ build/release/faultline run $workload"
build/release/faultline run "$workload"
echo
echo "More: build/release/faultline list workloads, build/release/faultline --help"

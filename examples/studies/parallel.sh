#!/bin/sh
# A study in slices by GNU parallel, which can spread them over machines too (--sshlogin, with a shared file system).
#
#   sh parallel.sh STUDY.json FOLDER [SLICES]
#
# Started again after a failure it goes on: finished points are kept. FAULTLINE names the program.
set -eu
study=$1 folder=$2 slices=${3:-8}
faultline=${FAULTLINE:-faultline}

mkdir -p "$folder"
# A slice that has failed points exits with 1 to 3: its results are there all the same. 4 is a failure of the host.
seq "$slices" | parallel --will-cite --halt soon,fail=1 \
	"$faultline batch $study --jobs 1 --quiet --resume --point {}/$slices -o $folder/slice-{}; [ \$? -lt 4 ]"
exec "$faultline" batch --merge "$folder"/slice-* -o "$folder/all"

#!/bin/sh
# A study as a Slurm job array: each task runs one slice on its node, a last job joins them.
#
#   sh slurm.sh STUDY.json FOLDER [SLICES]      submits both and prints the number of the last job
#
# Paths are as the nodes see them, on a file system that they share. Tasks that were killed (time limit, preemption) can
# be submitted again: finished points are kept. FAULTLINE names the program.
set -eu
study=$1 folder=$2 slices=${3:-8}
faultline=${FAULTLINE:-faultline}

mkdir -p "$folder"
# A slice that has failed points exits with 1 to 3: its results are there all the same. 4 is a failure of the host.
array=$(sbatch --parsable --array="1-$slices" --requeue --cpus-per-task=1 --output="$folder/slice-%a.log" \
	--wrap "$faultline batch $study --jobs 1 --resume --point \$SLURM_ARRAY_TASK_ID/$slices \
-o $folder/slice-\$SLURM_ARRAY_TASK_ID; [ \$? -lt 4 ]")
sbatch --parsable --dependency="afterok:$array" --output="$folder/merge.log" \
	--wrap "$faultline batch --merge \$(seq -f '$folder/slice-%.0f' $slices) -o $folder/all"

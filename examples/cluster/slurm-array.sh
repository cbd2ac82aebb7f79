#!/bin/bash
#SBATCH --job-name=newsdata
#SBATCH --array=0-7
#SBATCH --cpus-per-task=4
#SBATCH --mem=8G
#SBATCH --requeue

# Eight ranks build one version: SOURCE=/shared/archive OUT=/shared/finews sbatch slurm-array.sh
# Both lie on a file system that every node sees, or OUT is an address (s3://…) and SOURCE a git repository that every node has.
set -euo pipefail
exec newsdata build "$SOURCE" "$OUT" --engine ranks --num-proc "${SLURM_CPUS_PER_TASK:-1}" --quiet

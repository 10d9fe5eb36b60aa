#!/usr/bin/env bash
# All that is said of this model, from the corpora on: `make open-model CORPORA=DIR`.
set -euo pipefail
corpora=$1 model=models/telephone-open-5 runs=runs/telephone-open-5
learn=(--corpus "$corpora/emodb" --sounds "$corpora" --recipe $model/recipe.toml)
judge=(--corpora "$corpora/emodb" --folds $runs/loso --json)

emotion-service crossval "${learn[@]}" --protocol loso --out $runs/loso >/dev/null
emotion-service train "${learn[@]}" --out $runs/fit
emotion-service export --fit $runs/fit --crossval $runs/loso/crossval.json --licence Apache-2.0 --out $model
emotion-service evaluate "${judge[@]}" --sweeps >$runs/pcmu.json
emotion-service evaluate "${judge[@]}" --protocol warm >$runs/warm.json
for codec in pcma gsm amr-nb g722 opus; do
  emotion-service evaluate "${judge[@]}" --codec $codec >$runs/$codec.json
done
given=()
for judged in pcmu pcma gsm amr-nb g722 opus warm; do given+=(--evaluation $runs/$judged.json); done
emotion-service report --model $model --crossval $runs/loso \
  "${given[@]}" --out $runs/report.html --card $model/README.md --data $model/data.md --limits $model/limits.md \
  --repeat 'make open-model CORPORA=DIR'

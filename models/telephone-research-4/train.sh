#!/usr/bin/env bash
# All that is said of this model, from the corpora on: `make research-model CORPORA=DIR`.
set -euo pipefail
corpora=$1 model=models/telephone-research-4 runs=runs/telephone-research-4
learn=(--corpus "$corpora/emodb" --corpus "$corpora/ravdess" --corpus "$corpora/nemo"
  --sounds "$corpora" --recipe $model/recipe.toml)
judge=(--corpora "$corpora" --folds $runs/joint --every 4 --json)

for protocol in joint loco; do
  emotion-service crossval "${learn[@]}" --protocol $protocol --out $runs/$protocol >/dev/null
done
emotion-service train "${learn[@]}" --out $runs/fit
emotion-service export --fit $runs/fit --crossval $runs/joint/crossval.json \
  --licence CC-BY-NC-SA-4.0 --out $model
emotion-service evaluate "${judge[@]}" --sweeps >$runs/pcmu.json
emotion-service evaluate "${judge[@]}" --protocol warm >$runs/warm.json
for codec in pcma gsm amr-nb g722 opus; do
  emotion-service evaluate "${judge[@]}" --codec $codec >$runs/$codec.json
done
given=()
for judged in pcmu pcma gsm amr-nb g722 opus warm; do given+=(--evaluation $runs/$judged.json); done
emotion-service report --model $model --crossval $runs/joint --crossval $runs/loco \
  "${given[@]}" --out $runs/report.html --card $model/README.md --data $model/data.md --limits $model/limits.md \
  --repeat 'make research-model CORPORA=DIR'

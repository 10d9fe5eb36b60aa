# The commands people run; .ci/run runs the same ones.
PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
# Usage: $(call generate,FOLDER) writes FOLDER/emotion_service/v1/*_pb2*.
generate = $(BIN)/python -m grpc_tools.protoc -I protos --plugin=protoc-gen-mypy=$(BIN)/protoc-gen-mypy \
	--plugin=protoc-gen-mypy_grpc=$(BIN)/protoc-gen-mypy_grpc --python_out=$(1) --grpc_python_out=$(1) \
	--mypy_out=quiet:$(1) --mypy_grpc_out=quiet:$(1) protos/emotion_service/v1/emotion_service.proto

.PHONY: help run test check proto bench screenshots train-environment open-model research-model clean

help: ## this list
	@sed -nE 's/^([a-z-]+):.*## (.*)/make \1\t\2/p' Makefile | expand -t 28

run: .venv/.run ## installs once, then plays a call through the service with a live view
	$(BIN)/emotion-service demo

test: .venv/.dev ## every test; set EMOTION_CORPORA to include those on labelled speech
	$(BIN)/python -m pytest -q

check: .venv/.dev ## lint, types, import contracts, generated code up to date
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	@new=$$(mktemp -d) && trap 'rm -rf "$$new"' EXIT && $(call generate,$$new) && \
		diff -r -x __init__.py -x __pycache__ "$$new/emotion_service/v1" emotion_service/v1 || \
		{ echo "emotion_service/v1 is not what protos/ generate: run 'make proto'"; exit 1; }

proto: .venv/.dev ## regenerates emotion_service/v1 from protos/
	$(call generate,.)

bench: .venv/.dev ## speed, in ten minutes; EMOTION_CORPORA for human speech
	$(BIN)/python benchmarks/stages.py --plot benchmarks/results/stages.svg
	$(BIN)/python benchmarks/density.py --plot benchmarks/results/density-100.svg
	$(BIN)/python benchmarks/density.py --message-ms 20 --steps 25 40 50 75 100 --plot benchmarks/results/density-20.svg
	$(BIN)/python benchmarks/latency.py --plot benchmarks/results/latency.svg
	$(BIN)/python benchmarks/targets.py

screenshots: .venv/.dev ## the pictures of the panel and the wall, light and dark, German and English
	$(BIN)/python docs/screenshots.py docs/images

train-environment: .venv/.train ## adds what training needs (PyTorch: about 200 MB where pip finds a build for processors only)

open-model: NAME = telephone-open-5
research-model: NAME = telephone-research-4
open-model: .venv/.train ## CORPORA=DIR trains telephone-open-5 anew, with its card
research-model: .venv/.train ## CORPORA=DIR trains telephone-research-4 anew, with its card
open-model research-model:
	@test -n "$(CORPORA)" || { echo "say where the corpora are: make $@ CORPORA=DIR"; exit 1; }
	PATH="$(CURDIR)/$(BIN):$$PATH" models/$(NAME)/train.sh "$(CORPORA)"

clean: ## removes the environment and all caches
	rm -rf .venv build dist .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# Each stamp says: the environment holds this much of pyproject.toml as it stands.
.venv/.run: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || \
		{ echo "Python 3.11 or newer is needed: apt install python3 python3-venv, or make PYTHON=/path/to/python3.11"; exit 1; }
	@$(PYTHON) -m venv .venv || \
		{ echo "Python's venv module is needed: apt install python3-venv"; exit 1; }
	@echo "Installing emotion-service into .venv (once) …"
	@$(PIP) --editable .
	@touch $@

.venv/.dev: .venv/.run
	@echo "Installing the development tools into .venv (once) …"
	@$(PIP) --editable '.[dev,bench]'
	@touch $@

# torch first and alone: see pyproject.toml.
.venv/.train: .venv/.dev
	@echo "Installing the training tools into .venv (once) …"
	@$(PIP) torch==2.13.0
	@$(PIP) --editable '.[dev,bench,train]'
	@touch $@

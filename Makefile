# Every target sets up .venv by itself; only python3 (3.11 or newer) is needed.
PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.installed
ENGINES := $(or $(TUNER_ENGINES),$(HOME)/.cache/tuner-engines)

.PHONY: help demo test lint docker-images acceptance bench pictures snapshots clean

help: ## what there is to make
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):[^#]*## /\1\t/' | expand -t 16

$(STAMP): pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install -q --disable-pip-version-check -e '.[dev]'
	@touch $(STAMP)

demo: $(STAMP) ## tune a simulated engine: no Docker, no GPU, under a minute
	@$(BIN)/tuner-tui demo

test: $(STAMP) ## all tests but the slow acceptance ones; what is missing is skipped, loudly
	$(BIN)/python -m pytest -m 'not acceptance'

lint: $(STAMP) ## ruff, mypy --strict, and the walls between the rooms
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

docker-images: $(STAMP) ## the simulated engine's image, made without any registry
	$(BIN)/python tests/engines/simulated-image

acceptance: $(STAMP) docker-images ## real vLLM and SGLang, by Docker and as processes; about 20 minutes
	tests/engines/setup vllm sglang genai-bench base
	$(BIN)/python -m pytest -m acceptance --no-header --timeout 1800

bench: $(STAMP) ## what the tuner itself costs a launch
	$(BIN)/python benchmarks/overhead.py

pictures: $(STAMP) ## docs/pictures/ anew, from the demo in the app itself
	$(BIN)/python docs/make_pictures.py

snapshots: $(STAMP) ## tests/ui/snapshots/ anew: what each screen looks like; read the difference before you commit it
	rm -f tests/ui/snapshots/*.txt
	TUNER_SNAPSHOTS=write $(BIN)/python -m pytest -q tests/ui/test_snapshots.py

clean: ## the environment and everything built
	rm -rf .venv dist build .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

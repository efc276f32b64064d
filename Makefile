# One entry for everything; 'make help' lists it. Set-up happens by itself and is instant the second time.

SHELL := /bin/bash
PYTHON ?= $(shell for p in python3.11 python3 python; do $$p -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' 2>/dev/null && echo $$p && break; done)
PY := .venv/bin/python
LOCK := deploy/constraints.txt
# What is imported is compiled then; compiling everything would add a third to the set-up.
PIP := $(PY) -m pip install --no-compile -qq --disable-pip-version-check --constraint $(LOCK)
NO_DEPS := deploy/requirements/no-deps.txt
NO_DEPS_SONGS := deploy/requirements/no-deps-songs.txt
RUNTIME := .venv/.ready-runtime
SONGS := .venv/.ready-songs
FULL := .venv/.ready-full

.DEFAULT_GOAL := help
.PHONY: help demo songs demo-artist simulate backtest up down status bench test lint env-example weights

help: ## list the targets
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 14

demo: weights ## set up, start the studio, make a video, approve it, say where it is
	@$(PY) -m deploy.local.demo

songs: $(SONGS) ## set up what artists need besides: music, singing, listening

demo-artist: $(SONGS) weights ## set up, start the studio, have an artist born, make a song and its video, release it
	@$(PY) -m deploy.local.demo_artist

simulate: $(FULL) ## fifty artists live ten years under a skipped clock; prints and draws what became of them
	@$(PY) -m deploy.simulate

backtest: $(RUNTIME) ## a recorded history of runs, lived by these rules (LEDGER=path.csv)
	@$(PY) -m deploy.backtest $(if $(LEDGER),--ledger $(LEDGER))

up: weights ## start the studio and keep it running
	@$(PY) -m deploy.local up

down: $(RUNTIME) ## stop the studio
	@$(PY) -m deploy.local down

status: $(RUNTIME) ## how each part of the studio is
	@$(PY) -m deploy.local status

bench: $(FULL) weights ## measure every figure, print the table, write .studio/bench.json
	@$(PY) -m deploy.bench

test: lint weights ## everything: style, types, import rules, tests on real servers
	$(PY) -m pytest --numprocesses 2 --no-loadscope-reorder

lint: $(FULL) ## style, types, import rules
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy
	.venv/bin/lint-imports

env-example: $(RUNTIME) ## write .env.example from the settings
	$(PY) -m deploy.settings > .env.example.new && mv .env.example.new .env.example

weights: $(RUNTIME)
	@$(PY) -m deploy.local.weights

$(PY):
	@[ -n "$(PYTHON)" ] || { echo "Python 3.11 is needed: install it, or name it with PYTHON=..." >&2; exit 1; }
	@$(PYTHON) deploy/local/debian.py runtime
	@$(PYTHON) -m venv .venv

$(RUNTIME): $(LOCK) deploy/requirements/runtime.txt $(NO_DEPS) deploy/debian-packages.txt | $(PY)
	@$(PY) deploy/local/debian.py runtime
	@echo "Installing the pinned packages ..."
	@$(PIP) -r deploy/requirements/runtime.txt
	@$(PIP) --no-deps -r $(NO_DEPS)
	@touch $@

$(SONGS): $(RUNTIME) deploy/requirements/songs.txt $(NO_DEPS_SONGS)
	@$(PY) deploy/local/debian.py songs
	@echo "Installing what artists need ..."
	@$(PIP) -r deploy/requirements/songs.txt
	@$(PIP) --no-deps -r $(NO_DEPS_SONGS)
	@touch $@

$(FULL): $(SONGS) deploy/requirements/full.txt
	@$(PY) deploy/local/debian.py full
	@echo "Installing Coqui and the tools of development ..."
	@$(PIP) -r deploy/requirements/full.txt
	@touch $@

PYTHON ?= python3
BIN := .venv/bin
EXAMPLES := $(addprefix data/articles/,port-strike.txt river-talks.txt truce-monitor.txt)
SOURCES := $(shell find serving training -name '*.py' -o -name '*.yaml' -o -name '*.json')

.PHONY: help demo test lint train clean

help:
	@echo "make demo   tag the example articles with the bundled model"
	@echo "make test   install what the tests need and run them"
	@echo "make lint   ruff and mypy"
	@echo "make train  train a model like the bundled one (some two hours)"
	@echo "make clean  remove .venv, trained models and what make demo and evaluate wrote here"

demo: .venv/.demo
	$(BIN)/detente tag $(EXAMPLES) -o tags.jsonl --table

test: .venv/.dev
	$(BIN)/python -m pytest

lint: .venv/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

train: .venv/.dev
	$(BIN)/detente train configs/default.yaml

clean:
	rm -rf .venv runs evaluation tags.jsonl* mlflow.db* mlartifacts mlruns

.venv/bin/python:
	$(PYTHON) -m venv .venv

.venv/.demo: .venv/bin/python pyproject.toml $(SOURCES)
	$(BIN)/python -m pip install --quiet .
	@touch $@

.venv/.dev: .venv/bin/python pyproject.toml
	$(BIN)/python -m pip install --quiet --editable '.[train,articles,cluster,dev]'
	@touch $@ .venv/.demo

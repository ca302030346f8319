# The doors of the project. `make demo` and `make test` do all the set-up a fresh machine needs.
.DEFAULT_GOAL := help
SHELL := /bin/bash
BUILD := build/release
VENV := .venv
PYTHON := $(VENV)/bin/python
JOBS := $(shell nproc)

.PHONY: help setup build demo test test-cpp test-python sanitize lint format fuzz fuzz-operators fuzz-graphs bench docs golden clean zoo test-all site docs-test test-wheels
SITE := build/site-venv


help:  ## Say what can be made
	@grep -E '^[a-z-]+:.*##' Makefile | sed 's/:.*## /\t/' | expand -t 14

setup:  ## Install what is missing: system packages (apt), a private virtual environment
	@tools/setup.sh

build: setup  ## Build the release into build/release (mx2onnx, the library, the Python package)
	@tools/build.sh $(BUILD)

demo: build  ## Convert a trained MXNet model, run it in ONNX Runtime, compare with MXNet's numbers
	@$(PYTHON) tools/demo.py $(CURDIR)/$(BUILD)/mx2onnx

test: build test-cpp test-python  ## Run all tests

test-cpp: build
	@ctest --test-dir $(BUILD) --output-on-failure --parallel $(JOBS) --quiet && echo "C++ tests: passed"

test-python: build
	@PYTHONPATH=$(BUILD)/python MX2ONNX=$(CURDIR)/$(BUILD)/mx2onnx $(PYTHON) -m pytest -q -n $(JOBS) tests/python

test-all: build  ## Run the operator cases at every opset and at a third size (long)
	@PYTHONPATH=$(BUILD)/python MX2ONNX=$(CURDIR)/$(BUILD)/mx2onnx MX2ONNX_TEST_ALL=1 $(PYTHON) -m pytest -q -n $(JOBS) tests/python

sanitize: setup  ## Run the C++ tests under the address and undefined-behaviour sanitizers
	@tools/build.sh build/sanitize -DMX2ONNX_SANITIZE=ON -DCMAKE_BUILD_TYPE=Debug -DMX2ONNX_PYTHON=OFF -DMX2ONNX_BENCHMARKS=OFF
	@ctest --test-dir build/sanitize --output-on-failure --parallel $(JOBS) --quiet && echo "sanitized C++ tests: passed"

lint: setup  ## Check layout, layers, generated files, types and style
	@tools/lint.sh

format:  ## Lay out all sources
	@tools/setup.sh lint && tools/lint.sh --fix

fuzz: setup  ## Fuzz the readers and the pipeline with libFuzzer (SECONDS_EACH=60)
	@tools/fuzz.sh

fuzz-operators: build  ## Random nodes against MXNet itself (MXNET_PYTHON=python with mxnet 1.9.1, DRAWS=100)
	@PYTHONPATH=$(BUILD)/python $(PYTHON) tools/fuzz_operators.py --draws $(or $(DRAWS),100) --seed $(or $(SEED),0)

fuzz-graphs: build  ## Random networks against MXNet itself (MXNET_PYTHON=python with mxnet 1.9.1, DRAWS=1000)
	@PYTHONPATH=$(BUILD)/python $(PYTHON) tools/fuzz_graphs.py --draws $(or $(DRAWS),1000) --seed $(or $(SEED),0)

zoo: build  ## Convert and verify the GluonCV and GluonNLP graphs, write docs/zoo.md (ZOO="--only REGEX --sample N …")
	@PYTHONPATH=$(BUILD)/python $(PYTHON) tools/zoo.py $(ZOO)

bench: build  ## Measure against cp and against the last commit
	@$(PYTHON) bench/run.py $(BUILD)

docs: build  ## Write the generated pages
	@$(PYTHON) tools/gen_docs.py $(BUILD)/mx2onnx

site: build  ## Build the documentation site into build/site
	@[ -x $(SITE)/bin/mkdocs ] || { python3 -m venv $(SITE) && $(SITE)/bin/pip install -q -r tools/requirements-docs.txt; }
	@PYTHONPATH=$(BUILD)/python $(PYTHON) tools/gen_reference.py
	@$(SITE)/bin/mkdocs build --strict

docs-test: build  ## Run the snippets of the documentation (OPENVINO_PYTHON, TVM_PYTHON and others: see tools/test_docs.py)
	@PYTHONPATH=$(CURDIR)/$(BUILD)/python $(PYTHON) tools/test_docs.py

test-wheels:  ## Build wheels from a clean clone and install them into fresh environments of each Python
	@tools/setup.sh wheels
	@$(PYTHON) tools/test_wheels.py

golden:  ## Record the operator cases with MXNet (MXNET_PYTHON=python with mxnet 1.9.1)
	@$${MXNET_PYTHON:?say which Python has mxnet 1.9.1} tools/record_golden.py
	@$$MXNET_PYTHON tools/record_inference.py

clean:  ## Remove everything that was built
	rm -rf build $(VENV)

# The doors of the project. `make demo` and `make test` do all the set-up a fresh machine needs.
.DEFAULT_GOAL := help
SHELL := /bin/bash
BUILD := build/release
VENV := .venv
PYTHON := $(VENV)/bin/python
JOBS := $(shell nproc)
# The tests of a preset; of those that fail it shows all they said, and of the others nothing.
ctest = { ctest --preset $(1) --parallel $(JOBS) > build/$(1)/ctest.log || { grep -vE '^ *Start|  Passed  ' build/$(1)/ctest.log; exit 1; }; }

.PHONY: help setup build demo test test-cpp test-python sanitize lint format fuzz fuzz-operators fuzz-graphs bench docs golden clean zoo test-all web web-test site docs-test test-wheels test-package test-fetchcontent
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
	@$(call ctest,$(notdir $(BUILD))) && echo "C++ tests: passed"

test-python: build
	@PYTHONPATH=$(BUILD)/python MX2ONNX=$(CURDIR)/$(BUILD)/mx2onnx $(PYTHON) -m pytest -q -n $(JOBS) tests/python

test-all: build  ## Run the operator cases at every opset and at a third size (long)
	@PYTHONPATH=$(BUILD)/python MX2ONNX=$(CURDIR)/$(BUILD)/mx2onnx MX2ONNX_TEST_ALL=1 $(PYTHON) -m pytest -q -n $(JOBS) tests/python

sanitize: setup  ## Run the C++ tests under the address and undefined-behaviour sanitizers
	@tools/setup.sh lint
	@tools/build.sh build/sanitize
	@$(call ctest,sanitize) && echo "sanitized C++ tests: passed"

lint: setup  ## Check layout, layers, generated files, types and style
	@tools/lint.sh

format:  ## Lay out all sources
	@tools/setup.sh lint && tools/lint.sh --fix

fuzz: build  ## Fuzz readers, attributes, pipeline and graphs with libFuzzer (SECONDS_EACH=60)
	@tools/fuzz.sh

fuzz-operators: build  ## Random nodes against MXNet itself (MXNET_PYTHON=python with mxnet 1.9.1, DRAWS=100)
	@PYTHONPATH=$(BUILD)/python $(PYTHON) tools/fuzz_operators.py $(if $(NUMPY),--numpy) --draws $(or $(DRAWS),100) --seed $(or $(SEED),0)

fuzz-graphs: build  ## Random networks against MXNet itself (MXNET_PYTHON=python with mxnet 1.9.1, DRAWS=1000)
	@PYTHONPATH=$(BUILD)/python $(PYTHON) tools/fuzz_graphs.py --draws $(or $(DRAWS),1000) --seed $(or $(SEED),0) $(if $(CORPUS),--corpus $(CORPUS))

zoo: build  ## Convert and verify the GluonCV and GluonNLP graphs, write docs/zoo.md (ZOO="--only REGEX --sample N …")
	@PYTHONPATH=$(BUILD)/python $(PYTHON) tools/zoo.py $(ZOO)

bench: build  ## Measure against cp and against the last commit
	@$(PYTHON) bench/run.py $(BUILD)

docs: build  ## Write the generated pages
	@$(PYTHON) tools/gen_docs.py $(BUILD)/mx2onnx

$(SITE)/stamp: tools/requirements-docs.txt
	@python3 -m venv $(SITE) && $(SITE)/bin/pip install -q -r tools/requirements-docs.txt && touch $@

web: setup  ## Build the page that shows models (data/viewer.html) from web/; needs npm
	@tools/setup.sh web
	@cd web && npm ci --silent && npm run --silent build

web-test: build  ## Test that page: that it is what web/ makes, its parts, and all of it in a headless Chromium
	@tools/setup.sh web
	@cd web && npm ci --silent && npm run --silent check && npm test --silent && MX2ONNX=$(CURDIR)/$(BUILD)/mx2onnx npm run --silent e2e

site: $(SITE)/stamp  ## Build the documentation site into build/site
	@PATH="$(CURDIR)/$(SITE)/bin:$$PATH" mkdocs build --strict

docs-test: build  ## Run the snippets of the documentation (OPENVINO_PYTHON, TVM_PYTHON and others: see tools/test_docs.py)
	@PYTHONPATH=$(CURDIR)/$(BUILD)/python $(PYTHON) tools/test_docs.py

test-wheels:  ## Build wheels from a clean clone and install them into fresh environments of each Python
	@tools/setup.sh
	@$(PYTHON) tools/test_wheels.py

test-package: build  ## Build programs that use the library: CMake, pkg-config, FetchContent, static and shared
	@tools/build.sh build/shared
	@$(call ctest,shared) && echo "C++ tests with the shared library: passed"
	@PYTHONPATH=build/shared/python $(PYTHON) -m pytest -q tests/python/test_api.py
	@$(PYTHON) tools/test_package.py && echo "programs that use the library: passed"

test-fetchcontent: setup  ## Build and test with the libraries that CMake downloads where the system lacks them (sources by apt)
	@tools/test_fetchcontent.sh

golden:  ## Record the operator cases with MXNet (MXNET_PYTHON=python with mxnet 1.9.1)
	@$${MXNET_PYTHON:?say which Python has mxnet 1.9.1} tools/record_golden.py
	@$$MXNET_PYTHON tools/record_inference.py

clean:  ## Remove everything that was built
	rm -rf build $(VENV)

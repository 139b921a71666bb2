# make help lists the targets. Everything that is needed installs itself into .venv.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/ready

# what make demo trains of each paper
DEMO_larsd := model=larsd data=hrsd
DEMO_emoji := model=emoji_net data=emoji
DEMO_cars := model=dcgan data=cars
DEMO_barcodes := model=scanline_reader data=barcode_symbols hydra.run.dir=outputs/demo/reader resume=auto
# and what it does then
define AFTER_barcodes
$(BIN)/python train.py model=barcode_unet data=barcodes hydra.run.dir=outputs/demo/localiser resume=auto budget=small
test -f outputs/demo/photos/markup.csv || \
  $(BIN)/python prepare.py data=barcode_photos output=outputs/demo/photos count=3
$(BIN)/python predict.py run=outputs/demo/reader localiser=outputs/demo/localiser \
  input=outputs/demo/photos/Images output=outputs/demo/found
endef

.PHONY: help install demo table test lint types tests test-fast fuzz bench lock clean
.DEFAULT_GOAL := help

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-9s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

install: $(READY) ## make .venv with the locked dependencies

$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "error: Python 3.11 or newer is needed; name it with make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 2; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet uv
	$(BIN)/uv pip install --quiet --compile-bytecode --python $(BIN)/python -r requirements.lock
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps -e .
	@touch $(READY)

demo: $(READY) ## train and test a paper's model on built-in data: make demo [PAPER=larsd|emoji|cars|barcodes]; pictures at the end
	@test -n "$(DEMO_$(or $(PAPER),larsd))" || { echo "error: PAPER=$(PAPER): choose larsd, emoji, cars or barcodes"; exit 2; }
	$(BIN)/python train.py $(DEMO_$(or $(PAPER),larsd)) budget=small
	$(AFTER_$(PAPER))

table: $(READY) ## a paper's table: make table TABLE=larsd/2 [BUDGET=small]; without TABLE the list of tables
	$(BIN)/python reproduce.py $(if $(TABLE),table=$(TABLE) budget=$(or $(BUDGET),small))

test: lint types tests ## linters, type checks and the test suite

lint: $(READY) ## ruff
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(READY) ## mypy, strict
	$(BIN)/mypy

tests: $(READY) ## pytest on all cores (one thread each: two thread pools on two cores wait for each other)
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n auto --dist worksteal

test-fast: $(READY) ## linters, and the tests without trainings and processes of their own
	$(BIN)/ruff check .
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n auto --dist worksteal -m "not slow"

fuzz: $(READY) ## two thousand random faults of each kind: annotations, images, checkpoints, records, command lines
	RETABLE_FUZZ=2000 OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n auto --dist worksteal -m fuzz

bench: $(READY) ## every speed claim, as ratios measured here
	@for file in benchmarks/[a-z]*.py; do echo "== $$file"; $(BIN)/python $$file || failed=1; done; exit $${failed:-0}

lock: $(READY) ## resolve requirements.lock anew, for Linux and macOS
	$(BIN)/uv pip compile --quiet --upgrade pyproject.toml --extra dev --universal --python-version 3.11 \
	  --no-header --no-emit-index-url --no-emit-find-links -o requirements.lock

clean: ## remove .venv and caches, keep outputs
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache

# Everything one does here has a name; `make` alone lists them.
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

VENV := .venv
BIN := $(VENV)/bin
BENCH_VENV := .venv-bench
PINS := pyproject.toml constraints.txt
NEW_ENOUGH := import sys; sys.exit(sys.version_info < (3, 11))

# The first interpreter that runs and is new enough: `make PYTHON=/path/to/python3.12` names another.
PYTHON ?= $(shell for python in python3 python3.13 python3.12 python3.11 python3.14; do \
	$$python -c '$(NEW_ENOUGH)' 2>/dev/null && echo $$python && break; done)

.PHONY: help venv demo test findings bench bench-throughput bench-latency bench-memory bench-learning bench-profile bench-venv bench-recovery test-long lint types docs demo-data constraints clean

help: ## list what there is to make
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-16s %s\n", $$1, $$2 }' Makefile

demo: $(VENV)/.installed ## watch the line classify and learn from bundled real failures
	@$(BIN)/jidoka demo $(ARGS)

test: $(VENV)/.installed-dev ## run every test, against a real broker that the suite starts (ARGS="-k name")
	@$(BIN)/python -m pytest $(ARGS)

findings: $(VENV)/.installed ## run all findings of docs/findings again, on both sides: minutes, needs depyler and rustc
	@$(BIN)/jidoka findings docs/findings --recheck $(ARGS)

test-long: $(VENV)/.installed-dev ## kill workers and broker for half an hour, then count (ARGS="--minutes 10 --seed 7")
	@$(BIN)/python -m pytest -m long -s tests/integration/test_kill.py $(ARGS)

bench-recovery: $(VENV)/.installed-dev ## how soon a line answers again after kill -9 and after a restart, with a 20 MB model
	@$(BIN)/python -m benchmarks.recovery $(ARGS)

bench: $(VENV)/.installed-dev ## push a large corpus through the line: make bench CORPUS=failures.parquet
	@test -n "$(CORPUS)" || { echo "make bench: which corpus? make bench CORPUS=failures.parquet" >&2; exit 2; }
	@$(BIN)/python -m pytest -m scale --corpus "$(CORPUS)" $(ARGS)

bench-throughput: $(BENCH_VENV)/.installed ## side by side with a naive agent, Quix Streams, a loop by hand: CORPUS="a.parquet b.parquet"
	@$(BENCH_VENV)/bin/python -m benchmarks.throughput --corpus $(CORPUS) $(ARGS)

bench-latency: $(BENCH_VENV)/.installed ## push to committed prediction at 50, 200 and 400 builds a second
	@$(BENCH_VENV)/bin/python -m benchmarks.latency --corpus $(CORPUS) $(ARGS)

bench-memory: $(BENCH_VENV)/.installed ## a worker's memory over 5 million diagnostics (ARGS="--diagnostics 200000": a check)
	@$(BENCH_VENV)/bin/python -m benchmarks.memory --corpus $(CORPUS) $(ARGS)

bench-learning: $(BENCH_VENV)/.installed ## online learners side by side on the same features (ARGS="--task source --labels all")
	@$(BENCH_VENV)/bin/python -m benchmarks.learning --corpus $(CORPUS) $(ARGS)

bench-profile: $(BENCH_VENV)/.installed ## where a worker's time goes, by py-spy
	@$(BENCH_VENV)/bin/python -m benchmarks.profile --corpus $(CORPUS) $(ARGS)

bench-venv: $(BENCH_VENV)/.installed ## create .venv-bench with what the benchmarks compare jidoka with

lint: $(VENV)/.installed-dev ## check style and formatting
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

types: $(VENV)/.installed-dev ## check types, strictly
	@$(BIN)/mypy

docs: $(VENV)/.installed-dev ## write the generated documents anew: schemas, AsyncAPI, taxonomy, andon, dashboards
	@$(BIN)/python -m models.schemas docs/
	@$(BIN)/python -m models.taxonomy_docs
	@$(BIN)/python -m models.andon.page
	@$(BIN)/python -m dashboards.build
	@$(BIN)/python -m producers.minimise.index docs/findings

demo-data: $(VENV)/.installed ## make the demo's failures and the warm-start model anew with depyler and rustc (minutes)
	@$(BIN)/python -m producers.demo.build $(ARGS)
	@$(BIN)/python -m producers.demo.train

venv: $(VENV)/.installed ## create .venv and install jidoka with pinned dependencies

constraints: $(VENV)/.installed-dev ## pin what .venv holds now
	@sed -n '/^#/p' constraints.txt > $(VENV)/pins
	@$(BIN)/python -m pip freeze --exclude-editable | grep -v '^#' >> $(VENV)/pins
	@mv $(VENV)/pins constraints.txt

clean: ## remove .venv and what tools left behind; the broker's data and downloads stay
	@rm -rf $(VENV) $(BENCH_VENV) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
	@find models producers streams tests -name __pycache__ -prune -exec rm -rf {} +

# pip is the last thing that venv writes: where it is missing, an earlier attempt was cut off.
$(BIN)/pip:
	@if ! '$(PYTHON)' -c '$(NEW_ENOUGH)' 2>/dev/null; then \
		echo "jidoka needs Python 3.11 or newer; python3 here is: $$(python3 --version 2>&1 | head -n 1)" >&2; \
		echo "Install one (apt install python3 python3-venv, brew install python) or name it:" >&2; \
		echo "    make PYTHON=/path/to/python3.12 $(MAKECMDGOALS)" >&2; exit 1; fi
	@echo "creating $(VENV) with $$('$(PYTHON)' --version)"
	@'$(PYTHON)' -m venv --clear $(VENV) || { rm -rf $(VENV); \
		echo "The module venv does not work here; on Debian and Ubuntu: apt install python3-venv" >&2; exit 1; }

# One line that counts pip's packages against the pins, so that a newcomer sees how far it is.
define PROGRESS
all=$$(grep -c == constraints.txt); seen=0; test -t 1 && clear='\r\033[K' || clear=; \
	while IFS= read -r line; do case "$$line" in \
		Collecting*|Requirement*) seen=$$((seen + 1)); \
			test -z "$$clear" || printf "$$clear  resolving %s, at most %s" $$seen $$all;; \
		*Downloading*) test -z "$$clear" || printf "$$clear  %.76s" "$$line";; \
		Installing\ collected*) printf "$$clear  installing %s packages\n" $$seen;; \
	esac; done; printf "$$clear"
endef

# install(what, stamp): the pipe hides pip's exit status, so the stamp tells success.
define install
	@rm -f $(2); echo "installing $(1) (once; a minute or two when nothing is cached)"
	@{ $(BIN)/python -m pip install --disable-pip-version-check --progress-bar off \
		--constraint constraints.txt --editable '$(1)' && touch $(2); } | { $(PROGRESS); }
	@test -e $(2) || { echo "pip failed, see above; run the same make command again to go on" >&2; exit 1; }
endef

$(VENV)/.installed: $(PINS) | $(BIN)/pip
	$(call install,.,$@)

$(VENV)/.installed-dev: $(PINS) | $(BIN)/pip
	$(call install,.[dev],$@)
	@touch $(VENV)/.installed

# The pins of .venv, but for what benchmarks/constraints.txt pins otherwise.
$(BENCH_VENV)/.installed: $(PINS) benchmarks/constraints.txt | $(BIN)/pip
	@test -e $(BENCH_VENV)/bin/pip || $(BIN)/python -m venv --clear $(BENCH_VENV)
	@awk -F == 'NR == FNR { own[tolower($$1)]; print; next } !(tolower($$1) in own)' \
		benchmarks/constraints.txt constraints.txt > $(BENCH_VENV)/pins
	@echo "installing .[bench] into $(BENCH_VENV) (once)"
	@$(BENCH_VENV)/bin/pip install --quiet --disable-pip-version-check --constraint $(BENCH_VENV)/pins --editable '.[bench]'
	@touch $@

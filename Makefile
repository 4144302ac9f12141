# Needs nothing but Python 3.11+ and make. Each target makes the environment in .venv first, if it is not up to date.
PYTHON ?= python3
DATA ?= sample
PORT ?= 7860
# Where `make space` builds.
SPACE ?= dist/space
# Minutes of training for each model in place of what the data set's preset takes.
MINUTES ?=
# An index for another build of torch, e.g. the CPU one; README.md names them.
TORCH_INDEX ?=
# The folder of tokenizer and bundles that `make screenshots` shows.
RUNS ?= runs/$(DATA)
# Which notebooks `make notebooks` runs; all by default.
NB ?=

BIN = .venv/bin
STAMP = .venv/.stamp
PIP = $(BIN)/python -m pip --disable-pip-version-check install $(if $(CI),--quiet) -c constraints.txt
# uv installs on all cores, and the wheel's test finds what it unpacked; it looks for wheels where pip does.
export UV_FIND_LINKS ?= $(PIP_FIND_LINKS)
UV = $(BIN)/python -m uv pip install --python $(BIN)/python --compile-bytecode $(if $(CI),--quiet) -c constraints.txt

.PHONY: help environment demo test lab hooks notebooks readme stress results tuning screenshots space load clicks docs clean

help:  ## say what there is
	@grep -hE '^[a-z]+:.*##' Makefile | sed -E 's/:.*## /\t/' | expand -t 14

environment: $(STAMP)  ## make .venv from constraints.txt

$(STAMP): constraints.txt settings.ini setup.py pyproject.toml
	@command -v "$(PYTHON)" > /dev/null || { echo "There is no '$(PYTHON)' here: install Python 3.11 or newer, or name one with make PYTHON=python3.12"; exit 1; }
	@"$(PYTHON)" -c 'import sys; v = sys.version_info; sys.exit("tiger_nb needs Python 3.11 or newer and $(PYTHON) is %d.%d: name another with make PYTHON=python3.12" % v[:2] if v < (3, 11) else 0)'
	@"$(PYTHON)" -c 'import ensurepip, venv' 2> /dev/null || { echo "$(PYTHON) lacks venv, which comes with Python: on Debian and Ubuntu, apt install python3-venv"; exit 1; }
	@echo "Making the environment in .venv (about 2 minutes and 2.5 GB with torch's CPU build)"
	@rm -f $(STAMP)
	"$(PYTHON)" -m venv .venv
	$(PIP) setuptools wheel uv
	$(UV) $(if $(TORCH_INDEX),--extra-index-url "$(TORCH_INDEX)" --index-strategy unsafe-best-match) --no-build-isolation -e '.[dev]'
	@touch $(STAMP)

demo: environment  ## prepare what is missing and open the app: make demo [DATA=folder] [PORT=7860] [MINUTES=10]
	$(BIN)/tiger_demo --data "$(DATA)" --port $(PORT)$(if $(MINUTES), --minutes $(MINUTES))

test: environment  ## every check, below 20 minutes on 2 cores
	$(BIN)/python .ci/check.py

stress: environment  ## what is too long for `make test`: the cells flagged slow
	$(BIN)/python .ci/check.py --stress

load: environment  ## 50 visitors for two minutes: how fast the demo answers: make load [DATA=folder]
	$(BIN)/python .ci/load.py --data "$(DATA)"

clicks: environment  ## seconds until the demo's page is there and answers, in a browser: make clicks [DATA=folder RUNS=folder]
	$(BIN)/python .ci/clicks.py --data "$(DATA)" $(if $(filter-out runs/$(DATA),$(RUNS)),--runs "$(RUNS)")

lab: environment  ## JupyterLab on nbs/
	$(BIN)/python .ci/notebooks.py --lab

hooks: environment  ## git merges notebooks cell by cell and cleans them when Jupyter saves: once per clone
	$(BIN)/python .ci/hooks.py

notebooks: environment  ## run the notebooks top to bottom and store their outputs: make notebooks [NB="nbs/1_data/3_dataset.ipynb …"]
	$(BIN)/python .ci/notebooks.py $(NB)
	$(BIN)/python .ci/readme.py

readme: environment  ## render README.md from nbs/index.ipynb
	$(BIN)/python .ci/readme.py

results: environment  ## fill the missing cells of the table of results: make results DATA=folder
	$(BIN)/tiger_results --data "$(DATA)"

tuning: environment  ## climb the ladder of settings on validation: make tuning DATA=folder
	$(BIN)/tiger_tune --data "$(DATA)"

docs: environment  ## the chapters and the API as a site in build/docs/html
	$(BIN)/python .ci/docs.py

screenshots: environment  ## pictures of the app for README: make screenshots [DATA=folder RUNS=folder]
	$(BIN)/python .ci/screenshots.py "$(DATA)" "$(RUNS)"

space: environment  ## a folder for a Hugging Face Space: make space [SPACE=dist/space]
	$(BIN)/tiger_demo --data sample --prepare-only
	$(BIN)/python .ci/space.py "$(SPACE)"

clean:  ## remove the environment, the sample's runs and what building left; your own runs stay
	rm -rf .venv runs/sample runs/browser build dist *.egg-info _proc

# Short names for the project's own commands; CI and the README call the same ones without just.

export PATH := justfile_directory() / ".venv/bin:" + env("PATH")

# The recipes.
default:
    @just --list

# A virtual environment with everything.
setup:
    [ -x .venv/bin/python ] || python3 -m venv .venv
    pip install -e '.[server,test]'

# Style, types, layers.
lint:
    .ci/lint

# Every test; those that need an engine are skipped where none answers.
test *arguments:
    pytest {{ arguments }}

# The main job and the kill tests, on the real engine.
e2e *arguments:
    pytest tests/e2e {{ arguments }}

# The stand-in images, for machines without a registry; prints the settings that use them.
images:
    python tests/images/make.py

# The pages that are made from the program: its commands, its settings.
docs:
    python docs/generate.py
    python tests/settings_table.py

# The command line's start-up time against its budget.
bench:
    python benchmarks/cli_startup.py

# The embedding server beside its peers, under the editors' load; about twenty minutes.
bench-servers *arguments:
    python benchmarks/embedding_servers.py {{ arguments }}

# What CI does.
ci:
    .ci/run

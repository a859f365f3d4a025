"""Typer wiring: argv to flow and report, no logic."""

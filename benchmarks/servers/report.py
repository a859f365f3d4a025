"""Outcomes as a table for people, JSON for programs, and a chart for the documentation. Measures nothing."""

import statistics
from collections.abc import Callable, Sequence
from dataclasses import asdict
from html import escape
from typing import Any

from servers.figures import Outcome, Round, percentile

__all__ = ["as_json", "chart", "table"]

_HEADINGS = (
    "server",
    "model",
    "tok/s (min-max)",
    "ours/it",
    "texts/s",
    "of GEMM (min-max), in streams, best",
    "CPU s/ktok",
    "search idle p50/p95 ms",
    "search busy p50/p95 ms (n)",
    "start CPU s",
    "ready/burst MB",
    "8192 s/MB",
    "re-index tok/s",
    "cosine (least)",
)


def _baseline(outcome: Outcome, outcomes: Sequence[Outcome]) -> Outcome | None:
    """Our float32 server with the same model."""
    name = "ours" if outcome.model == "jina" else "ours-bert"
    return next((one for one in outcomes if one.name == name), None)


def _ratio(outcome: Outcome, outcomes: Sequence[Outcome]) -> float | None:
    base = _baseline(outcome, outcomes)
    return base.speed / outcome.speed if base and base.speed and outcome.speed else None


def _middle(outcome: Outcome, value: Callable[[Round], float | None]) -> float | None:
    known = [found for found in map(value, outcome.rounds) if found is not None]
    return statistics.median(known) if known else None


def _show(value: float | None, form: str = ".0f") -> str:
    return "-" if value is None else format(value, form)


def _searches(outcome: Outcome, *, busy: bool) -> str:
    values = [1000 * value for value in outcome.searches(busy=busy)]
    shown = f"{_show(percentile(values, 0.5))}/{_show(percentile(values, 0.95))}"
    return f"{shown} ({len(values)})" if busy else shown


def _long_seconds(one: Round) -> float | None:
    return one.long_seconds


def _long_mb(one: Round) -> float | None:
    return one.long_mb


def _best_gflops(model: str, outcomes: Sequence[Outcome]) -> float:
    """The best moment of a model's products in all of the run."""
    same = [done for one in outcomes if one.model == model for done in one.rounds]
    return max((done.ceiling.best_gflops for done in same), default=float("nan"))


def _shares(outcome: Outcome, outcomes: Sequence[Outcome]) -> str:
    shares = outcome.shares
    streams = statistics.median(outcome.stream_shares)
    best = outcome.share_of(_best_gflops(outcome.model, outcomes))
    return f"{statistics.median(shares):.0%} ({min(shares):.0%}-{max(shares):.0%}), {streams:.0%}, {_show(best, '.0%')}"


def _row(outcome: Outcome, outcomes: Sequence[Outcome]) -> tuple[str, ...]:
    speeds = outcome.speeds
    long_seconds, long_mb = (_middle(outcome, value) for value in (_long_seconds, _long_mb))
    cosine = "-" if outcome.cosine is None else f"{outcome.cosine:.6f} ({_show(outcome.least_cosine, '.6f')})"
    return (
        outcome.name,
        outcome.model,
        f"{_show(outcome.speed)} ({min(speeds):.0f}-{max(speeds):.0f})",
        _show(_ratio(outcome, outcomes), ".2f"),
        _show(_middle(outcome, lambda one: one.texts / one.seconds), ".1f"),
        _shares(outcome, outcomes),
        _show(_middle(outcome, lambda one: 1000 * one.cpu_seconds / one.tokens), ".2f"),
        _searches(outcome, busy=False),
        _searches(outcome, busy=True),
        _show(_middle(outcome, lambda one: one.start_cpu_seconds), ".1f"),
        f"{_show(_middle(outcome, lambda one: one.ready_mb))}/{_show(_middle(outcome, lambda one: one.burst_mb))}",
        f"{_show(long_seconds, '.1f')}/{_show(long_mb)}",
        _show(_middle(outcome, lambda one: one.reindex_tokens_per_second)),
        cosine,
    )


def table(outcomes: Sequence[Outcome]) -> str:
    """Columns as wide as needed; below them the ceilings, what could not be measured, and why."""
    rows = [_HEADINGS, *(_row(one, outcomes) for one in outcomes if one.rounds)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEADINGS))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    lines.append("")
    lines += [_ceiling(model, outcomes) for model in dict.fromkeys(one.model for one in outcomes if one.rounds)]
    lines += [f"{one.name}: {reason}" for one in outcomes for reason in dict.fromkeys(one.refusals)]
    return "\n".join(lines)


def _ceiling(model: str, outcomes: Sequence[Outcome]) -> str:
    """What the matrix products reach without anything else."""
    rounds = [done for one in outcomes if one.model == model for done in one.rounds]
    held = [done.ceiling.sustained_gflops for done in rounds]
    streams = statistics.median(done.ceiling.streams_gflops for done in rounds)
    return (
        f"GEMM, {model}: the model's float32 matrix products alone hold {statistics.median(held):.0f} "
        f"({min(held):.0f}-{max(held):.0f}) GFLOP/s on all threads together, {streams:.0f} in two streams, "
        f"measured in halts of each burst; {_best_gflops(model, outcomes):.0f} in the best moment of each"
    )


def as_json(outcomes: Sequence[Outcome], load: dict[str, Any]) -> dict[str, Any]:
    """Everything measured, and the sums of the table."""
    return {
        "load": load,
        "servers": [
            {
                **asdict(one),
                "tokens_per_second": one.speed,
                "ours_over_it": _ratio(one, outcomes),
                "shares_of_sustained_gemm": one.shares,
                "shares_of_gemm_in_streams": one.stream_shares,
                "share_of_best_gemm": one.share_of(_best_gflops(one.model, outcomes)),
                **{
                    f"search_{kind}_p{share}_ms": None if found is None else 1000 * found
                    for kind in ("idle", "busy")
                    for share in (50, 95)
                    for found in [percentile(one.searches(busy=kind == "busy"), share / 100)]
                },
            }
            for one in outcomes
        ],
    }


def chart(outcomes: Sequence[Outcome]) -> str:
    """An SVG of bars, tokens a second on the editors' burst; a line shows least and most over the rounds."""
    shown = [one for one in outcomes if one.rounds]
    left, right, step = 190, 80, 30
    width, height = 760, step * len(shown) + 60
    longest = max((max(one.speeds) for one in shown), default=1.0)
    scale = (width - left - right) / longest
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif">',
        "<style>text { font-size: 13px }</style>",
        f'<rect width="{width}" height="{height}" fill="#fff"/>',
        "<title>Tokens a second over HTTP on the editors' burst</title>",
        '<text x="10" y="24">Tokens a second over HTTP on the editors\' burst (more is better)</text>',
    ]
    for index, one in enumerate(shown):
        top = 40 + step * index
        end = left + (one.speed or 0.0) * scale
        colour = "#1f6f5c" if one.name.startswith("ours") else "#9aa5b1"
        least, most = left + min(one.speeds) * scale, left + max(one.speeds) * scale
        middle = top + 9
        parts += [
            f'<text x="{left - 8}" y="{top + 14}" text-anchor="end">{escape(one.name)} ({one.model})</text>',
            f'<rect x="{left}" y="{top}" width="{end - left:.1f}" height="18" fill="{colour}"/>',
            f'<path d="M{least:.1f} {middle}H{most:.1f}" stroke="#222" stroke-width="2"/>',
            f'<text x="{most + 8:.1f}" y="{top + 14}">{one.speed:.0f}</text>',
        ]
    return "\n".join([*parts, "</svg>", ""])

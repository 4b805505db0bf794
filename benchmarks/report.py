"""Medians, ratios and the tables that show them."""

import statistics
from collections.abc import Sequence

from benchmarks.peers import OURS as OURS

Results = dict[str, dict[str, dict[str, list[float]]]]
"""By case, by server, by figure: one value for each round."""


def add(results: Results, case: str, peer: str, figures: dict[str, float]) -> None:
    """Note what one round gave."""
    by_figure = results.setdefault(case, {}).setdefault(peer, {})
    for name, value in figures.items():
        by_figure.setdefault(name, []).append(value)


def median(results: Results, case: str, peer: str, figure: str = "cost") -> float | None:
    """Return the median of all rounds, `None` if there was none."""
    values = results.get(case, {}).get(peer, {}).get(figure)
    return statistics.median(values) if values else None


def tables(results: Results, names: Sequence[str]) -> str:
    """Return everything as tables in Markdown: costs, rates, delays, ratios."""
    parts = ["CPU time of the server, µs per message, delivery or client (lowest to highest):", ""]
    parts += _table(results, names, ["cost"], with_spread=True)
    parts += ["", "Messages or deliveries per second, one core:", ""]
    parts += _table(results, names, ["rate"], with_spread=False)
    parts += ["", "Delay of an echo, ms:", ""]
    parts += _table(results, names, ["p50", "p99", "p99.9"], with_spread=False)
    others = [name for name in names if name not in OURS]
    for ours in OURS:
        if ours in names and others:
            parts += ["", f'Ratios: what trio_sio, "{ours}", costs ÷ what the other costs:', ""]
            parts += _ratios(results, ours, others)
    return "\n".join(parts) + "\n"


def _table(
    results: Results, names: Sequence[str], figures: Sequence[str], *, with_spread: bool
) -> list[str]:
    rows = []
    for case, by_peer in results.items():
        for figure in figures:
            if not any(figure in by_figure for by_figure in by_peer.values()):
                continue
            cells = [_cell(by_peer.get(name, {}).get(figure), with_spread) for name in names]
            title = case if len(figures) == 1 else f"{case}, {figure}"
            rows.append(f"| {title} | {' | '.join(cells)} |")
    return [f"| load | {' | '.join(names)} |", "| --- |" + " ---: |" * len(names), *rows]


def _cell(values: list[float] | None, with_spread: bool) -> str:
    if not values:
        return ""
    text = _number(statistics.median(values))
    if with_spread and len(values) > 1:
        text += f" ({_number(min(values))} to {_number(max(values))})"
    return text


def _number(value: float) -> str:
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def _ratios(results: Results, ours: str, others: Sequence[str]) -> list[str]:
    rows = []
    for case in results:
        figures = [median(results, case, name) for name in others]
        own = median(results, case, ours)
        if own is None or not any(figures):
            continue
        cells = ["" if not figure else f"{own / figure:.2f}" for figure in figures]
        rows.append(f"| {case} | {' | '.join(cells)} |")
    return [f"| load | {' | '.join(others)} |", "| --- |" + " ---: |" * len(others), *rows]

"""The picture of the README: what a delivery costs as clients grow."""

from collections.abc import Sequence
from pathlib import Path

from benchmarks import report


def draw(results: report.Results, peers: Sequence[str], sizes: Sequence[int], path: Path) -> None:
    """Draw the cost of broadcasts, one at a time, over the number of clients; as SVG."""
    import matplotlib
    from matplotlib import pyplot

    matplotlib.use("svg")
    matplotlib.rcParams["svg.hashsalt"] = "trio_sio"
    figure, axes = pyplot.subplots(figsize=(7, 4))
    for peer in peers:
        costs = [report.median(results, f"broadcast to {n:,}, one at a time", peer) for n in sizes]
        points = [(n, cost) for n, cost in zip(sizes, costs, strict=True) if cost is not None]
        if points:
            style = "-" if peer in report.OURS else "--"
            label = f"trio_sio, {peer}" if peer in report.OURS else peer
            axes.plot(*zip(*points, strict=True), style, marker="o", label=label)
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xticks(list(sizes), [f"{n:,}" for n in sizes])
    axes.minorticks_off()
    axes.set_xlabel("clients")
    axes.set_ylabel("µs of CPU per delivery")
    axes.grid(visible=True, alpha=0.3)
    axes.legend()
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None})

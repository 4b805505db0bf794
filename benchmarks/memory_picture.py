"""The picture of what a client that never reads costs: memory during a run, and afterwards."""

from collections.abc import Sequence
from pathlib import Path

from benchmarks.curve import Curve

MIB = 2**20


def draw(curves: Sequence[Curve], outbox: int, path: Path) -> None:
    """Draw the curves, and the limit of an outbox; as SVG."""
    import matplotlib
    from matplotlib import pyplot

    matplotlib.use("svg")
    matplotlib.rcParams["svg.hashsalt"] = "trio_sio"
    figure, (during, after) = pyplot.subplots(
        1, 2, sharey=True, figsize=(8, 4), width_ratios=(3, 1)
    )
    for curve in curves:
        style = "-" if curve.name.startswith("trio_sio") else "--"
        for axes, points in ((during, curve.sent), (after, curve.after)):
            axes.plot([x for x, _ in points], [y / MIB for _, y in points], style, label=curve.name)
    for axes in (during, after):
        axes.axhline(outbox / MIB, color="gray", linestyle=":", label="max_outbox_bytes")
        axes.set_yscale("symlog", linthresh=10)
        axes.grid(visible=True, alpha=0.3)
    during.set_xlabel("MB sent to each client of the room")
    during.set_ylabel("memory, MiB above the start")
    after.set_xlabel("seconds after the\nslow client has gone")
    during.legend(fontsize="small")
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None})

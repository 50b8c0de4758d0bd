"""``python -m producers.demo.train``: trains the small model that ships with the project on the bundled failures.

One pass in the recorded order, through the same step as the stream; only the classifier is kept. Run it again after
``producers.demo.build`` or a change of the features, and commit ``models/data/warm_start.jdk``.
"""

from __future__ import annotations

from importlib import resources
from pathlib import Path

from rich.console import Console

from models.evaluation.replay import replay
from models.state import LineState
from models.warm_start import NAME, pack
from producers.demo import failures


def main() -> None:
    """Train and write the model."""
    state = LineState()
    scores = replay(failures(), state, lambda _: None)
    packed = pack(state.classifier, "warm-start")
    path = Path(str(resources.files("models") / "data" / NAME))
    path.write_bytes(packed)
    Console().print(
        f"{path.name}: {len(packed):,} bytes from {scores.n} diagnostics; prequential accuracy {scores.accuracy:.3f}, "
        f"macro F1 {scores.macro_f1:.3f}, majority {scores.baselines['majority']:.3f}"
    )


if __name__ == "__main__":
    main()

"""Write the dashboards to ``dashboards/grafana``: ``python -m dashboards.build``.

Built by code so that the same thing looks the same everywhere; Grafana in ``docker/compose.yaml`` reads the files.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from grafana_foundation_sdk.cog.encoder import JSONEncoder

from dashboards import drift, model, operations, overview, runbook, synthetic

FOLDER = Path(__file__).parent / "grafana"
MODULES = {
    "overview": overview,
    "model": model,
    "drift": drift,
    "synthetic": synthetic,
    "operations": operations,
    "runbook": runbook,
}


def documents() -> dict[str, dict[str, Any]]:
    """Return every dashboard as Grafana's JSON model, by the name of its file without ``.json``."""
    found = {}
    for name, module in MODULES.items():
        document: dict[str, Any] = json.loads(json.dumps(module.build().build(), cls=JSONEncoder))
        for place, panel in enumerate(document["panels"], 1):
            panel["id"] = place
        found[name] = document
    return found


def text(document: dict[str, Any]) -> str:
    """Return a dashboard as it stands in its file."""
    return json.dumps(document, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def main() -> None:
    """Write all files."""
    FOLDER.mkdir(exist_ok=True)
    for name, document in documents().items():
        file = FOLDER / f"{name}.json"
        file.write_text(text(document), encoding="utf-8")
        sys.stdout.write(f"{file.relative_to(FOLDER.parents[1])}: {len(document['panels'])} panels\n")


if __name__ == "__main__":
    main()

"""Finished runs."""

import json
from pathlib import Path
from typing import Any

LAST = 10  # evaluations whose mean is a run's final return, as Tianshou and PFRL report it


def config_of(run: Path) -> dict[str, Any]:
    """Return the settings of a run folder."""
    return json.loads((run / "config.json").read_text(encoding="utf-8"))["config"]

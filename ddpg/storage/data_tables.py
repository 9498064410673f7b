"""Logged data in a .csv file, one row per time step: a state, the action taken in it, the reward that it brought."""

from pathlib import Path
from typing import Any

import numpy as np

from ddpg.errors import RequestError
from ddpg.experience.logged import Log
from ddpg.storage.csv_files import read_table

COLUMNS = {  # of a .csv file; a name stands for itself, or for NAME_0, NAME_1 and so on
    "state": "observation",
    "action": "action",
    "reward": "reward",
    "next_state": "next_observation",
    "terminated": "terminated",
    "truncated": "truncated",
    "episode": "episode",
}
FLAGS = {"true": "1", "false": "0"}


def csv_log(path: Path, columns: dict[str, Any], most: int) -> Log:
    """Return a log from a .csv file with one row per time step."""
    header, rows = read_table(path)
    if not rows:
        raise RequestError("it has no rows")
    table = {
        key: np.array([column_of_numbers(rows, index, header[index]) for index in indexes]).T
        for key, indexes in csv_columns(header, columns).items()
    }
    no = np.zeros(len(rows), bool)
    terminals, timeouts = (table[key][:, 0] != 0 if key in table else no for key in ("terminated", "truncated"))
    ends = terminals | timeouts
    if "episode" in table:
        episode = table["episode"][:, 0]
        changes = np.flatnonzero(np.diff(episode))
        if len(changes) + 1 > len(np.unique(episode)):
            raise RequestError("its rows are shuffled: an episode goes on after another one has begun; sort them")
        ends[changes] = True
    states, actions, rewards = table["state"], table["action"], table["reward"][:, 0]
    return Log(str(path), states, actions, rewards, terminals, ends, table.get("next_state")).newest(most)


def csv_columns(header: list[str], given: dict[str, Any]) -> dict[str, list[int]]:
    """Return which columns of a .csv file hold what.

    Args:
        header: Their names.
        given: The names that the user gave, each a string or a list of strings.
    """
    unknown = given.keys() - COLUMNS.keys()
    if unknown:
        raise RequestError(f"unknown {sorted(unknown)[0]!r}; the keys are {', '.join(COLUMNS)}", "data_columns")
    found = {}
    for key, default in COLUMNS.items():
        names = given.get(key, [])
        names = [names] if isinstance(names, str) else list(names)
        if missing := [name for name in names if name not in header]:
            raise RequestError(f"it has no column {missing[0]!r}; it has {', '.join(header)}", "data_columns")
        if not names:
            numbered = [f"{default}_{index}" for index in range(len(header))]
            names = [default] if default in header else [name for name in numbered if name in header]
        if not names and key in ("state", "action", "reward"):
            which = default if key == "reward" else f"{default}_0, {default}_1 and so on"
            raise RequestError(f"it has no column for the {key} ({which}); name it with --data-columns", "data")
        if names:
            found[key] = [header.index(name) for name in names]
    return found


def column_of_numbers(rows: list[list[str]], index: int, name: str) -> list[float]:
    """Return a column of a table as numbers; flags may be words."""
    texts = [FLAGS.get(row[index].strip().lower(), row[index]) for row in rows]
    try:
        return [float(text) for text in texts]
    except ValueError:
        line = next(line for line, text in enumerate(texts, 2) if not is_number(text))
        raise RequestError(f"line {line}, column {name!r}: expected a number, got {texts[line - 2]!r}") from None


def is_number(text: str) -> bool:
    """Return whether a text is a number."""
    try:
        float(text)
    except ValueError:
        return False
    return True

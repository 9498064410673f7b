"""Bring each known mistake of DDPG tutorials and libraries back, one at a time, and see that a test notices.

    python tests/mutations.py            # all of tests/mutations.toml, about three minutes
    python tests/mutations.py noise      # those whose name holds the word

Each is made in a copy of the package and tested in a process of its own.  The tests named beside it must fail there,
and all named tests must pass on an unpatched copy, or they would prove nothing.  Exits with 1 if one was missed.
"""

import os
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "benchmarks"))

from forks import in_forks  # noqa: E402
from mistakes import Mistake, known_mistakes, patched_copy  # noqa: E402


def tested(copy: Path, tests: tuple[str, ...]) -> int:
    """Run some tests of a copy, each `module::test`; return pytest's exit code."""
    import pytest

    os.chdir(copy)
    names = ["tests/test_{}.py::{}".format(*test.split("::")) for test in tests]
    return int(pytest.main(["-x", "-p", "no:cacheprovider", "-m", "", *names]))  # -m "": slow ones too


def main(words: list[str]) -> int:
    """Carry out the mutations and print what became of each; return the exit code."""
    chosen = [mistake for mistake in known_mistakes().values() if all(word in mistake.name for word in words)]
    every_test = tuple(dict.fromkeys(test for mistake in chosen for test in mistake.tests))
    runs = [Mistake("none of them", (), every_test), *chosen]
    with tempfile.TemporaryDirectory() as folder:
        copies = [patched_copy(Path(folder, str(index)), mistake.patches) for index, mistake in enumerate(runs)]
        jobs = [
            (lambda copy=copy, tests=mistake.tests: tested(copy, tests), copy / "log")
            for copy, mistake in zip(copies, runs, strict=True)
        ]
        codes = in_forks(jobs, at_a_time=os.cpu_count() or 1)
        logs = [log.read_text() for _, log in jobs]
    wrong = 0
    for mistake, code, log in zip(runs, codes, logs, strict=True):
        words_for = {0: "MISSED", 1: "caught"} if mistake.patches else {0: "passed"}
        print(f"{words_for.get(code, 'BROKEN'):7} {mistake.name}")
        if words_for.get(code) not in ("caught", "passed"):
            wrong += 1
            print(log[-3000:])
    print(f"{len(chosen)} known mistakes brought back, {wrong} runs not as they should be")
    return 1 if wrong or not chosen else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

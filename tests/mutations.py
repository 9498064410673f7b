"""Make each known mistake of DDPG tutorials and libraries, one at a time, and check that a test fails because of it.

    python tests/mutations.py            # all of tests/mutations.toml, three to four minutes
    python tests/mutations.py noise      # those with this word in their names

Each mistake is made in a copy of the package and tested in a process of its own. The named test must fail there, and
all named tests must pass on an unchanged copy. Exits with 1 if a mistake was missed.
"""

import os
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import forkserver, get_context
from pathlib import Path

from helpers.patches import Mistake, known_mistakes, patched_copy


def run_tests(copy: Path, tests: Sequence[str]) -> int:
    """Run tests in a copy of the repository; return pytest's exit code and leave its output in `copy/log`."""
    os.chdir(copy)
    with open("log", "wb") as log:
        os.dup2(log.fileno(), 1)
        os.dup2(log.fileno(), 2)
    import pytest

    # A temporary folder of its own: in a shared one, two runs at a time would remove each other's old folders.
    own = ["-n", "0", "-p", "no:cacheprovider", "--basetemp", "tmp"]
    code = pytest.main(["-x", *own, "-m", "", *tests])  # -m "": slow ones too
    sys.stdout.flush()
    return int(code)


def executor() -> ProcessPoolExecutor:
    """Return a pool of one process per task: forks of a server that has imported TensorFlow and not yet used it."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    context = get_context("forkserver")
    context.set_forkserver_preload(["gymnasium", "keras", "matplotlib.figure", "pytest"])
    stderr = os.dup(2)
    with open(os.devnull, "w") as null:  # for what TensorFlow's C++ side writes while it is imported
        os.dup2(null.fileno(), 2)
        forkserver.ensure_running()
        os.dup2(stderr, 2)
    return ProcessPoolExecutor(os.cpu_count(), context, max_tasks_per_child=1)


def main(words: Sequence[str]) -> int:
    """Make the mistakes whose names have all the words, print which were caught, and return the exit code."""
    mistakes = [mistake for mistake in known_mistakes() if all(word in mistake.name for word in words)]
    if not mistakes:
        print(f"no mistake in tests/mutations.toml has {' and '.join(words)} in its name")
        return 1
    with tempfile.TemporaryDirectory() as folder, executor() as pool:
        unchanged = patched_copy(Path(folder, "unchanged"), ())
        baseline = pool.submit(run_tests, unchanged, sorted({mistake.test for mistake in mistakes}))
        copies = [patched_copy(Path(folder, str(k)), mistake.patches) for k, mistake in enumerate(mistakes)]
        codes = pool.map(run_tests, copies, [[mistake.test] for mistake in mistakes])
        missed = sum(
            report(mistake, {0: "MISSED", 1: "caught"}.get(code, "BROKEN"), copy)
            for mistake, code, copy in zip(mistakes, codes, copies, strict=True)
        )
        missed += report(Mistake("no mistake", (), ""), {0: "passed"}.get(baseline.result(), "FAILED"), unchanged)
    print(f"{len(mistakes)} mistakes made, {missed} runs not as they should be")
    return 1 if missed else 0


def report(mistake: Mistake, result: str, copy: Path) -> bool:
    """Print the result of a run, and the end of its output if the result is wrong; return whether it is wrong."""
    print(f"{result:7} {mistake.name}", flush=True)
    wrong = result not in ("caught", "passed")
    if wrong:
        print((copy / "log").read_text(encoding="utf-8", errors="replace")[-3000:])
    return wrong


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

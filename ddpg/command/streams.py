"""The standard streams, prepared once per command: stdout is for results, stderr for progress and notes."""

import contextlib
import io
import os
import sys
from collections.abc import Iterator
from typing import TextIO

from ddpg.errors import one_line

BROKEN_PIPE = 141  # what a shell reports of a program that wrote to a closed pipe


class Nowhere(io.TextIOBase):
    """A stream that discards what is written to it."""

    def write(self, text: str) -> int:
        """Discard a text; return its length."""
        return len(text)


def prepare_streams() -> None:
    """Replace what a stream cannot show, and a stream that is missing by one that discards."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, Nowhere())
        elif hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")


def note(text: str) -> None:
    """Print a line on stderr; where nobody reads it any more, print nothing."""
    try:
        print(text, file=sys.stderr, flush=True)
    except (OSError, ValueError, AttributeError):  # a closed pipe, a closed stream, or none
        with contextlib.suppress(OSError, ValueError, AttributeError):
            silence(sys.stderr, 2)


def silence(stream: TextIO | None, descriptor: int) -> None:
    """Send the rest of a stream to nowhere, so that nothing fails when Python flushes it at its end."""
    null = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(null, stream.fileno() if stream else descriptor)
    except (OSError, ValueError):  # a stream that is no file, as in a test
        pass
    finally:
        os.close(null)


@contextlib.contextmanager
def results_only() -> Iterator[TextIO]:
    """Keep stdout for the program's own results: what else writes there, C code included, goes to stderr.

    Yields:
        Where to print the results.
    """
    results = sys.stdout
    results.flush()
    try:
        descriptor = results.fileno()
    except (OSError, ValueError):  # a stream that is no file, as in a test
        with contextlib.redirect_stdout(sys.stderr):
            yield results
        return
    kept = os.dup(descriptor)
    os.dup2(2, descriptor)
    try:
        with contextlib.redirect_stdout(sys.stderr), open(kept, "w", encoding="utf-8", closefd=False) as file:
            yield file
    finally:
        os.dup2(kept, descriptor)
        os.close(kept)


class ByProducts:
    """Guards what a run makes beside its results: a picture, TensorBoard's file, the progress bar.

    The first failure of each is a note; the run goes on.
    """

    def __init__(self) -> None:
        self.failed: set[str] = set()

    @contextlib.contextmanager
    def __call__(self, name: str) -> Iterator[None]:
        """Let nothing but a stop by the user leave the `with` block.

        Args:
            name: What is made, such as "the reward curve".
        """
        try:
            yield
        except Exception as error:
            if name not in self.failed:
                self.failed.add(name)
                note(f"note: {name} failed ({one_line(error)}); the run goes on without it")

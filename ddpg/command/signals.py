"""Signals: the first Ctrl-C stops a run within one step of its task, the second at once."""

import os
import signal
import sys
import threading
from types import FrameType, TracebackType

from ddpg.command.streams import note

# SIGHUP: the terminal or the connection is closed. SIGUSR1: what batch systems send before they kill.
SIGNALS = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGUSR1") if hasattr(signal, name)]


class Stopped(BaseException):
    """The user has asked to stop. It is no `Exception`, so that nothing takes it for an error of a task."""


class StopRequest:
    """A context in which the first signal sets `signal_number`; the next one raises KeyboardInterrupt.

    A signal that was ignored before stays ignored, as `nohup` and a script's `&` want it. Outside of the main thread
    Python takes no signals, so there is none to wait for.

    Args:
        answer: What to say to the first signal.
    """

    def __init__(self, answer: str = "stopping; the run saves first (again: stop at once, without saving)") -> None:
        self.signal_number: int | None = None
        self.answer = answer

    def check(self) -> None:
        """Raise `Stopped` if there was a signal."""
        if self.signal_number is not None:
            raise Stopped

    def __enter__(self) -> "StopRequest":
        self.handlers = {}
        if threading.current_thread() is threading.main_thread():
            taken = [number for number in SIGNALS if signal.getsignal(number) != signal.SIG_IGN]
            self.handlers = {number: signal.signal(number, self._receive) for number in taken}
            self._answerer = Answerer(taken, self.answer)
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        for number, handler in self.handlers.items():
            signal.signal(number, handler)
        if self.handlers:
            self._answerer.close()

    def _receive(self, number: int, frame: FrameType | None) -> None:
        if self.signal_number is not None:
            raise KeyboardInterrupt
        self.signal_number = number


class Answerer:
    """Answers the first signal at once, from a separate thread.

    Python runs a signal handler only between two bytecode instructions, and one call that compiles with XLA can take
    seconds. The number of each signal is written to a pipe immediately, though, and this thread reads the pipe.

    Args:
        numbers: The signals to answer.
        answer: What to say.
    """

    def __init__(self, numbers: list[int], answer: str) -> None:
        self.numbers, self.answer = numbers, answer
        self.reader, self.writer = os.pipe()
        os.set_blocking(self.writer, False)
        self.before = signal.set_wakeup_fd(self.writer, warn_on_full_buffer=False)
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self) -> None:
        while (received := os.read(self.reader, 1)) and received != b"\0":
            if received[0] in self.numbers:
                note(("\n" if sys.stderr.isatty() else "") + self.answer)  # not on the line of the progress bar
                return

    def close(self) -> None:
        """End the thread, after it has answered what there is to answer."""
        signal.set_wakeup_fd(self.before)
        os.write(self.writer, b"\0")
        self.thread.join()
        os.close(self.reader)
        os.close(self.writer)

"""Signals: the first Ctrl-C stops at the end of the episode, the second at once."""

import signal
import sys
import threading
from types import FrameType, TracebackType

from ddpg.command.streams import note

# SIGHUP: the terminal or the connection is closed. SIGUSR1: what batch systems send before they kill.
SIGNALS = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGUSR1") if hasattr(signal, name)]


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

    def __enter__(self) -> "StopRequest":
        self.handlers = {}
        if threading.current_thread() is threading.main_thread():
            taken = [number for number in SIGNALS if signal.getsignal(number) != signal.SIG_IGN]
            self.handlers = {number: signal.signal(number, self._receive) for number in taken}
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        for number, handler in self.handlers.items():
            signal.signal(number, handler)

    def _receive(self, number: int, frame: FrameType | None) -> None:
        if self.signal_number is not None:
            raise KeyboardInterrupt
        self.signal_number = number
        note(("\n" if sys.stderr.isatty() else "") + self.answer)  # not on the line of the progress bar

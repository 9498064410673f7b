"""Stopping politely: the first SIGINT or SIGTERM is a request, the second one ends the run at once."""

import signal
from types import FrameType, TracebackType


class StopRequest:
    """A context in which `number` becomes the signal that arrived first; the next one raises KeyboardInterrupt."""

    def __init__(self) -> None:
        self.number: int | None = None

    def __enter__(self) -> "StopRequest":
        self.before = {number: signal.signal(number, self._receive) for number in (signal.SIGINT, signal.SIGTERM)}
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        for number, handler in self.before.items():
            signal.signal(number, handler)

    def _receive(self, number: int, frame: FrameType | None) -> None:
        if self.number is not None:
            raise KeyboardInterrupt
        self.number = number

"""A polite stop: the first SIGINT or SIGTERM is a request, the second one ends the run immediately."""

import signal
from types import FrameType, TracebackType


class StopRequest:
    """A context in which the first signal sets `signal_number`; the next one raises KeyboardInterrupt."""

    def __init__(self) -> None:
        self.signal_number: int | None = None

    def __enter__(self) -> "StopRequest":
        self.handlers = {number: signal.signal(number, self._receive) for number in (signal.SIGINT, signal.SIGTERM)}
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        for number, handler in self.handlers.items():
            signal.signal(number, handler)

    def _receive(self, number: int, frame: FrameType | None) -> None:
        if self.signal_number is not None:
            raise KeyboardInterrupt
        self.signal_number = number

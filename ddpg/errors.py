"""The two ways in which a run can end that are not a bug of this package."""


class RequestError(ValueError):
    """What was asked for cannot be done; the message says what would work.

    Args:
        message: One line: what is wrong and what would work.
        setting: The `Config` field (or command-line option) at fault, in snake case, or None.
    """

    def __init__(self, message: str, setting: str | None = None) -> None:
        super().__init__(f"{setting}: {message}" if setting else message)
        self.message = message
        self.setting = setting

    def for_command_line(self) -> str:
        """Return the message as a shell user should read it, naming the flag."""
        if self.setting is None:
            return self.message
        return f"--{self.setting.replace('_', '-')}: {self.message}"


class RunStopped(RuntimeError):
    """A run that cannot go on: NaN or infinity from the task or from the network."""

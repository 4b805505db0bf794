"""What a client says when the server has failed, and only says so because of that."""

from types import TracebackType

from trio_sio.failures import leaves, ungrouped


class Symptom:
    """What a test's client raises, if its cause may be a failure of the server.

    A handler that fails ends the session of its client, who then says that it was disconnected.
    With both at hand, only the failure is worth telling.

        symptom = Symptom(Disconnected)
        with ungrouped():
            async with server:
                with symptom:
                    ...
        symptom.show()

    Args:
        kinds: what may be a symptom.
    """

    def __init__(self, *kinds: type[Exception]) -> None:
        self._kinds = kinds
        self._error: BaseException | None = None

    @property
    def is_there(self) -> bool:
        """Whether there is one."""
        return self._error is not None

    def __enter__(self) -> None:
        """Hold back what comes out of this block."""

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool:
        if error is None or not all(isinstance(leaf, self._kinds) for leaf in leaves(error)):
            return False
        self._error = error
        return True

    def show(self) -> None:
        """Raise what was held back, after the server has ended and raised nothing."""
        error, self._error = self._error, None
        try:
            with ungrouped():
                if error is not None:
                    raise error
        finally:
            del error  # its traceback holds us

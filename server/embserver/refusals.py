"""Why a request is not taken up. What each of these means in HTTP is said in errors.py.

Refusal
├── Closed             the server is going away
├── QueueFull          what waits already holds as much memory as it may
├── InputOutOfRange    a token id that the model does not have
└── InputTooLong       an input that would have to be cut, where the client forbids it
"""

__all__ = ["Closed", "InputOutOfRange", "InputTooLong", "QueueFull", "Refusal"]


class Refusal(Exception):
    """A request that is not taken up; the message says why."""


class Closed(Refusal):
    """The server is going away and takes up no further work."""


class QueueFull(Refusal):
    """What waits holds `held` bytes of the `capacity` there is, and this request does not fit beside it."""

    def __init__(self, held: int, capacity: int) -> None:
        super().__init__(f"What waits already holds {held} of {capacity} bytes.")


class InputOutOfRange(Refusal):
    """A token id that the model does not have; `index` is the input's."""

    def __init__(self, index: int, token: int, vocabulary: int) -> None:
        super().__init__(f"Input {index} has the token id {token}; this model's ids are 0 to {vocabulary - 1}.")
        self.index = index


class InputTooLong(Refusal):
    """An input of more than `max_tokens` tokens under `truncate: false`; `index` is the input's."""

    def __init__(self, index: int, max_tokens: int) -> None:
        super().__init__(
            f"Input {index} is longer than the {max_tokens} tokens, special tokens included, that this model takes. "
            "Send shorter inputs, or leave 'truncate' out to have them cut."
        )
        self.index = index

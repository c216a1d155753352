"""What a refusal is in every app: a reason as a code, and a text for the person who asked."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, ClassVar, Generic, TypeVar

R = TypeVar("R", bound=StrEnum)


class RefusedWith(Exception, Generic[R]):
    """Something may not be done. `reason` is the code; `text` says it in the active language.

    Each app derives a class of its own, with the texts of its reasons.
    """

    texts: ClassVar[Mapping[Any, object]]
    retry_after: int | None = None  # seconds, if waiting helps

    def __init__(self, reason: R) -> None:
        super().__init__(reason)
        self.reason = reason

    @property
    def text(self) -> str:
        return str(self.texts[self.reason])

    @classmethod
    def check(cls, reason: R | None) -> None:
        """Raise the refusal if there is a reason."""
        if reason is not None:
            raise cls(reason)

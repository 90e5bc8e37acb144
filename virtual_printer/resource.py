# What is opened and closed by a `with` statement
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.

from types import TracebackType
from typing import Optional, Type, TypeVar

_Self = TypeVar("_Self", bound="Resource")


class Resource:
    """Is closed at the end of a `with` statement, and when it cannot be opened as a whole."""

    def open(self) -> None:
        """Do what the start of the statement takes."""

    def close(self) -> None:
        """Give back what is open."""
        raise NotImplementedError

    def __enter__(self: _Self) -> _Self:
        try:
            self.open()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self,
        kind: Optional[Type[BaseException]],
        error: Optional[BaseException],
        trace: Optional[TracebackType],
    ) -> None:
        self.close()

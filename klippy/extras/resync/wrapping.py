# Stand in for functions of single objects of the host, for a while
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
from typing import Any, Callable, List, Optional, Tuple


class Wrapping:
    """What has been wrapped, to be left as it was found.

    Some probes hold functions of the endstop inside as attributes of their
    own, which have to be there again afterwards.
    """

    def __init__(self) -> None:
        self._undo: List[Tuple[Any, str, Optional[Any]]] = []

    def wrap(self, owner: Any, name: str, wrapper: Callable[[Any], Any]) -> None:
        """Replace a function of an object by what wrapper(function) returns."""
        self._undo.append((owner, name, vars(owner).get(name)))
        setattr(owner, name, wrapper(getattr(owner, name)))

    def undo(self) -> None:
        """Leave all objects as they were found."""
        # The same object may be there twice
        while self._undo:
            owner, name, own = self._undo.pop()
            if own is None:
                delattr(owner, name)
            else:
                setattr(owner, name, own)

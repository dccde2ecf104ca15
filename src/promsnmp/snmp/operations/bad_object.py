"""Finds the way round an object that an agent cannot read, so that a walk reaches what lies behind it.

An agent that fails at one object (genErr, RFC 3416 section 4.2.2) answers every GETNEXT from before it with the error,
and does not say which object it is. GETNEXT from behind it works again. So the search asks from further and further on:
first one row on, then up to where something answers, and back to the first OID from which it does.
"""

from __future__ import annotations

from promsnmp.snmp import oid

MAX_QUESTIONS = 64
"""GETNEXTs to get round one bad object; then the walk goes on from where the agent is known to answer."""


class BadObjectSearch:
    """``candidate`` is the OID (content octets) to send a GETNEXT from; ``on_result`` says how that ended.

    At the end, ``is_over``, and ``start`` is where the walk goes on; None when nothing answers up to the subtree's end.
    """

    def __init__(self, root: bytes, position: bytes) -> None:
        self.is_over = False
        self.start: bytes | None = None
        self._questions = 0
        self._root = oid.decode_subids(root)
        self._subids = oid.decode_subids(position)
        self._prefix = self._root
        self._low = self._high = self._asked = 0
        """Sub-identifiers behind the prefix: GETNEXT from the first fails, from the second works."""
        self._step = 1
        self._next = self._after_next_row
        self._end = (*self._root, oid.MAX_SUBID)
        next_row = (*self._subids[:-1], self._subids[-1] + 1) if self._subids else ()
        if len(self._subids) > len(self._root) and next_row[-1] <= oid.MAX_SUBID:
            self._ask(next_row)
        else:
            self._after_next_row(works=False)

    def on_result(self, *, works: bool) -> None:
        """Takes whether the GETNEXT from ``candidate`` returned an object."""
        self._questions += 1
        if works:
            self.start = self.candidate
        if self._questions >= MAX_QUESTIONS:
            self.is_over = True
        else:
            self._next(works=works)

    def _ask(self, subids: tuple[int, ...]) -> None:
        self.candidate = oid.encode_subids(subids)

    def _after_next_row(self, *, works: bool) -> None:
        """Mostly the bad object is the next row. If not: does anything answer before the end of the subtree?"""
        if works:
            self.is_over = True
            return
        self._next = self._after_end
        self._ask(self._end)

    def _after_end(self, *, works: bool) -> None:
        if not works:
            self.is_over = True
            return
        self._climb(max(len(self._subids) - 1, len(self._root)))

    def _climb(self, level: int) -> None:
        """Looks for the deepest part of the position behind which the agent answers."""
        self._prefix = self._subids[:level]
        self._low = self._subids[level] if level < len(self._subids) else -1
        if level <= len(self._root):
            self._widen()
        else:
            self._next = self._after_level
            self._ask((*self._prefix, oid.MAX_SUBID))

    def _after_level(self, *, works: bool) -> None:
        if works:
            self._widen()
        else:
            self._climb(len(self._prefix) - 1)

    def _widen(self) -> None:
        """Asks from further and further on, until the agent answers."""
        self._high, self._step = oid.MAX_SUBID, 1
        self._next = self._after_step
        self._ask_behind(self._step)

    def _after_step(self, *, works: bool) -> None:
        if works:
            self._high = self._asked
            self._next = self._after_half
            self._halve()
        else:
            self._low, self._step = self._asked, self._step * 2
            self._ask_behind(self._step)

    def _ask_behind(self, step: int) -> None:
        if self._low + step >= self._high:
            self._next = self._after_half
            self._halve()
        else:
            self._asked = self._low + step
            self._ask((*self._prefix, self._asked))

    def _halve(self) -> None:
        """Goes back to the first sub-identifier from which the agent answers."""
        if self._high - self._low > 1:
            self._asked = (self._low + self._high) // 2
            self._ask((*self._prefix, self._asked))
            return
        self.start = oid.encode_subids((*self._prefix, self._high))
        if self._low >= 0:
            self._prefix, self._low = (*self._prefix, self._low), -1
            self._next = self._after_descent
            self._ask((*self._prefix, oid.MAX_SUBID))
        else:
            self.is_over = True

    def _after_half(self, *, works: bool) -> None:
        if works:
            self._high = self._asked
        else:
            self._low = self._asked
        self._halve()

    def _after_descent(self, *, works: bool) -> None:
        """The bad object lies below a sub-identifier: rows behind it there are read, too."""
        if works:
            self._widen()
        else:
            self.is_over = True

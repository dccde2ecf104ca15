"""What a migration has to say: what could not be carried over, or becomes something else, and what to do."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Note:
    """One thing that differs after the migration."""

    file: str
    line: int
    """In ``file``, from 1."""
    what: str
    """What it is, then what to do."""
    lost: bool = False
    """Whether something was not carried over, as opposed to: is to be known."""

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.what}"


@dataclass(slots=True)
class Notes:
    """Notes in the order of their discovery, each once; at most ``MOST``."""

    notes: list[Note] = field(default_factory=list)
    dropped: int = 0
    """Notes beyond ``MOST``."""

    MOST = 10_000

    def add(self, file: str, line: int, what: str, *, lost: bool = False) -> None:
        note = Note(file, line, what, lost)
        if note in self.notes[-20:]:
            return
        if len(self.notes) < self.MOST:
            self.notes.append(note)
        else:
            self.dropped += 1

    @property
    def any_lost(self) -> bool:
        return self.dropped > 0 or any(note.lost for note in self.notes)

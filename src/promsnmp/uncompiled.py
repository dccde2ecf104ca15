"""Stands in for the ``cython`` module where the hot files run as plain Python.

``snmp/ber.py`` and the other hot files are written in Cython's pure-Python mode: compiled, their
annotations become C types; without a compiler the same files run as they are, and the names that they take from
``cython`` come from here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

_T = TypeVar("_T")

compiled = False

bint = bool
char = int
Py_ssize_t = ulonglong = longlong = int
p_uchar = bytes
double = float
p_ulonglong = p_double = p_float = p_int = p_uint = memoryview


def _unchanged(thing: _T) -> _T:
    return thing


cfunc = inline = cclass = _unchanged


def declare(_: Any, value: _T) -> _T:
    return value


def exceptval(*_: Any, **__: Any) -> Callable[[_T], _T]:
    return _unchanged

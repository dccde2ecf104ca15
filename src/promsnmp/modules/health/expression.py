"""Arithmetic and conditions of health definitions: ``value * 10 ** (3 * (scale - 9) - precision)``, ``status == 1``.

The syntax is that of Python's expressions, and only what is listed here is allowed: numbers, texts, names of columns,
``i1``, ``i2``, ... (the numbers of the row's index), ``+ - * / // % **``, comparisons, ``in (1, 2)``, ``and or not``,
``A if CONDITION else B``, and the functions of ``FUNCTIONS``. Nothing is ever executed as Python: each operation
becomes a function of its own.

What a device does not return has no value, and neither has what is computed from it: a sample without a value is left
out, a condition without a value does not hold.
"""

from __future__ import annotations

import ast
import math
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from promsnmp.modules.regex import compile_regex

Value = int | float | str | bytes | bool | None
"""A number, a text (``bytes``: octets as the device sent them, ``str``: an OID), a truth value, or no value."""
Values = Mapping[str, Value]
_Evaluate = Callable[[Values], Value]

LONGEST = 500
"""Characters of an expression."""
DEEPEST = 30
"""Levels of an expression."""
LARGEST_EXPONENT = 300
TEXT_LENGTH = 1000
"""Characters of a text that are looked at."""
_INDEX_PARTS = 128


def text_of(value: Value) -> str:
    """A value as text: octets are decoded, up to the first NUL, with blanks at the ends removed."""
    if isinstance(value, bytes):
        return " ".join(value[: 4 * TEXT_LENGTH].split(b"\0", 1)[0].decode(errors="replace").split())[:TEXT_LENGTH]
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return "" if value is None else str(value)


def number_of(value: Value) -> float | None:
    """A value as a finite number; None for a text that is not one."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        try:
            number = float(value)
        except OverflowError:
            return None
        return number if math.isfinite(number) else None
    if isinstance(value, bytes):
        try:
            number = float(text_of(value).replace("_", "x"))
        except ValueError:
            return None
        return number if math.isfinite(number) else None
    return None


@dataclass(frozen=True, slots=True)
class Expression:
    """A parsed expression; equal texts are equal expressions."""

    text: str
    names: frozenset[str]
    """The columns that it uses."""
    evaluate: _Evaluate = field(compare=False, repr=False)
    """Its value for a row: a mapping of columns (and ``i1``, ...) to values; missing columns have no value."""

    def number(self, values: Values) -> float | None:
        """Its value as a number."""
        return number_of(self.evaluate(values))

    def holds(self, values: Values) -> bool:
        """Its value as a condition."""
        return self.evaluate(values) is True


def parse(text: str) -> Expression:
    """Parses an expression. Raises ValueError, which says what is wrong."""
    if len(text) > LONGEST:
        raise ValueError(f"an expression has at most {LONGEST} characters, this one {len(text)}")
    try:
        tree = ast.parse(text.strip().replace("\\", "\\\\"), mode="eval")  # texts are raw: regexes have backslashes
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        reason = error.msg if isinstance(error, SyntaxError) else "it is too deep"
        raise ValueError(f"{text!r} is not an expression: {reason}") from None
    names: set[str] = set()
    evaluate = _Parser(names).node(tree.body, 0)
    return Expression(text.strip(), frozenset(names), evaluate)


def index_name(part: int) -> str:
    """The name of a part of the row's index, counted from 1."""
    return f"i{part}"


def is_index_name(name: str) -> bool:
    """Whether a name is that of a part of the index, so that no column may have it."""
    return name[:1] == "i" and name[1:].isascii() and name[1:].isdigit()


# ----------------------------------------------------------------------------------------------------------- operations


def _power(base: float, exponent: float) -> float:
    if abs(exponent) > LARGEST_EXPONENT:
        raise OverflowError
    result = base**exponent
    if isinstance(result, complex):
        raise ValueError("a root of a negative number")
    return float(result)


_ARITHMETIC: Mapping[type[ast.operator], Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: _power,
}
_ORDER: Mapping[type[ast.cmpop], Callable[[float, float], bool]] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}


def _arithmetic(left: _Evaluate, right: _Evaluate, operation: Callable[[float, float], float]) -> _Evaluate:
    def evaluate(values: Values) -> Value:
        first = number_of(left(values))
        second = None if first is None else number_of(right(values))
        if first is None or second is None:
            return None
        try:
            return operation(first, second)
        except (ArithmeticError, ValueError):  # a division by zero, say
            return None

    return evaluate


def _equal(first: Value, second: Value) -> bool | None:
    """Whether two values are equal: as numbers if one of them is a number, else as texts."""
    if first is None or second is None:
        return None
    if isinstance(first, int | float) or isinstance(second, int | float):
        return number_of(first) == number_of(second) and number_of(first) is not None
    return text_of(first) == text_of(second)


def _ordered(first: Value, second: Value, compare: Callable[[float, float], bool]) -> bool | None:
    left, right = number_of(first), number_of(second)
    return None if left is None or right is None else compare(left, right)


# ------------------------------------------------------------------------------------------------------------ functions


def _log10(number: float) -> float:
    return math.log10(number)


def _bit(value: Value, position: Value) -> Value:
    """Whether a bit is set: of a number, bit 0 is the lowest; of octets (BITS), bit 0 is the first one's highest."""
    at = number_of(position)
    if at is None or not 0 <= at <= 8 * TEXT_LENGTH:
        return None
    bit = int(at)
    if isinstance(value, bytes):
        return bit // 8 < len(value) and bool(value[bit // 8] >> (7 - bit % 8) & 1)
    number = number_of(value)
    return None if number is None else bool(int(number) >> bit & 1)


def _octet(value: Value, position: Value) -> Value:
    """The octet at a position, counted from 0, as a number."""
    at = number_of(position)
    if at is None or not isinstance(value, bytes) or not 0 <= at < len(value):
        return None
    return value[int(at)]


FUNCTIONS: Mapping[str, tuple[int, str]] = {
    "present": (1, "present(COLUMN): whether the device returns it"),
    "log10": (1, "log10(X): the decimal logarithm"),
    "abs": (1, "abs(X)"),
    "min": (2, "min(X, Y)"),
    "max": (2, "max(X, Y)"),
    "text": (1, "text(COLUMN): as text"),
    "matches": (2, "matches(COLUMN, 'REGEX'): whether the regex matches somewhere in the text"),
    "number": (2, "number(COLUMN, 'REGEX'): the number that the group (or the match) is"),
    "bit": (2, "bit(COLUMN, N): whether bit N is set; of octets bit 0 is the first, of a number the lowest"),
    "octet": (2, "octet(COLUMN, N): octet N as a number, from 0"),
}
"""The functions of expressions: how many arguments each has, and what it does."""
_OF_NUMBERS: Mapping[str, Callable[..., float]] = {"log10": _log10, "abs": abs, "min": min, "max": max}
_OF_VALUES: Mapping[str, Callable[..., Value]] = {
    "present": lambda value: value is not None,
    "text": lambda value: None if value is None else text_of(value),
    "bit": _bit,
    "octet": _octet,
}


def _numeric_call(function: Callable[..., float], arguments: list[_Evaluate]) -> _Evaluate:
    def evaluate(values: Values) -> Value:
        numbers = [number_of(one(values)) for one in arguments]
        if any(one is None for one in numbers):
            return None
        try:
            return function(*numbers)
        except (ArithmeticError, ValueError):  # the logarithm of 0, say
            return None

    return evaluate


def extract_number(text: str) -> float | None:
    """The number that a text is; a comma may stand for the point."""
    return number_of(text.strip().replace(",", ".").encode())


# -------------------------------------------------------------------------------------------------------------- parsing


class _Parser:
    """Turns the nodes of an expression into functions; collects the ``names`` of columns."""

    def __init__(self, names: set[str]) -> None:
        self._names = names

    def node(self, node: ast.expr, depth: int) -> _Evaluate:
        if depth > DEEPEST:
            raise ValueError("the expression is too deep")
        reader = getattr(self, f"_read_{type(node).__name__.lower()}", None)
        if reader is None:
            raise ValueError(f"{ast.unparse(node)!r} is not allowed in an expression")
        evaluate: _Evaluate = reader(node, depth + 1)
        return evaluate

    def _read_constant(self, node: ast.Constant, depth: int) -> _Evaluate:
        value = node.value
        if isinstance(value, bool) or not isinstance(value, int | float | str):
            raise ValueError(f"{value!r} is neither a number nor a text")
        return lambda _: value

    def _read_name(self, node: ast.Name, depth: int) -> _Evaluate:
        name = node.id
        if not is_index_name(name):
            self._names.add(name)
        elif not 1 <= int(name[1:4]) <= _INDEX_PARTS:
            raise ValueError(f"{name!r}: the parts of an index are i1, i2, ...")
        return lambda values: values.get(name)

    def _read_binop(self, node: ast.BinOp, depth: int) -> _Evaluate:
        operation = _ARITHMETIC.get(type(node.op))
        if operation is None:
            raise ValueError(f"{ast.unparse(node)!r} is not allowed in an expression; a power is written x ** y")
        return _arithmetic(self.node(node.left, depth), self.node(node.right, depth), operation)

    def _read_unaryop(self, node: ast.UnaryOp, depth: int) -> _Evaluate:
        operand = self.node(node.operand, depth)
        if isinstance(node.op, ast.Not):

            def negated(values: Values) -> Value:
                value = operand(values)
                return not value if isinstance(value, bool) else None

            return negated
        if isinstance(node.op, ast.USub):
            return _arithmetic(lambda _: 0, operand, operator.sub)
        if isinstance(node.op, ast.UAdd):
            return operand
        raise ValueError(f"{ast.unparse(node)!r} is not allowed in an expression")

    def _read_boolop(self, node: ast.BoolOp, depth: int) -> _Evaluate:
        operands = [self.node(one, depth) for one in node.values]
        if isinstance(node.op, ast.And):
            return lambda values: all(one(values) is True for one in operands)
        return lambda values: any(one(values) is True for one in operands)

    def _read_ifexp(self, node: ast.IfExp, depth: int) -> _Evaluate:
        condition, yes, no = (self.node(one, depth) for one in (node.test, node.body, node.orelse))
        return lambda values: yes(values) if condition(values) is True else no(values)

    def _read_compare(self, node: ast.Compare, depth: int) -> _Evaluate:
        operands = [node.left, *node.comparators]
        parts = [
            self._comparison(left, operation, right, depth)
            for left, operation, right in zip(operands, node.ops, operands[1:], strict=False)
        ]
        if len(parts) == 1:
            return parts[0]
        return lambda values: all(one(values) is True for one in parts)

    def _comparison(self, left: ast.expr, operation: ast.cmpop, right: ast.expr, depth: int) -> _Evaluate:
        first = self.node(left, depth)
        if isinstance(operation, ast.In | ast.NotIn):
            return self._membership(first, right, depth, wanted=isinstance(operation, ast.In))
        second = self.node(right, depth)
        if isinstance(operation, ast.Eq):
            return lambda values: _equal(first(values), second(values))
        if isinstance(operation, ast.NotEq):

            def differ(values: Values) -> Value:
                same = _equal(first(values), second(values))
                return None if same is None else not same

            return differ
        compare = _ORDER.get(type(operation))
        if compare is None:
            raise ValueError("only == != < <= > >= in and not in compare values")
        return lambda values: _ordered(first(values), second(values), compare)

    def _membership(self, value: _Evaluate, members: ast.expr, depth: int, *, wanted: bool) -> _Evaluate:
        if not isinstance(members, ast.Tuple | ast.List):
            raise ValueError(f"{ast.unparse(members)!r}: write 'in (1, 2)'")
        among = [self.node(one, depth) for one in members.elts]

        def evaluate(values: Values) -> Value:
            present = value(values)
            return None if present is None else any(_equal(present, one(values)) for one in among) is wanted

        return evaluate

    def _read_call(self, node: ast.Call, depth: int) -> _Evaluate:
        name = node.func.id if isinstance(node.func, ast.Name) else ""
        if name not in FUNCTIONS or node.keywords:
            raise ValueError(f"{ast.unparse(node)[:60]!r}: the functions are {', '.join(sorted(FUNCTIONS))}")
        count, usage = FUNCTIONS[name]
        if len(node.args) != count:
            raise ValueError(f"{ast.unparse(node)[:60]!r}: {usage}")
        if name in ("matches", "number"):
            return self._regex_call(name, node, depth)
        arguments = [self.node(one, depth) for one in node.args]
        if name in _OF_NUMBERS:
            return _numeric_call(_OF_NUMBERS[name], arguments)
        function = _OF_VALUES[name]
        return lambda values: function(*(one(values) for one in arguments))

    def _regex_call(self, name: str, node: ast.Call, depth: int) -> _Evaluate:
        value, regex = self.node(node.args[0], depth), node.args[1]
        if not isinstance(regex, ast.Constant) or not isinstance(regex.value, str):
            raise ValueError(f"{ast.unparse(node)[:60]!r}: the regex must be a text in quotes")
        pattern = compile_regex(regex.value)

        def evaluate(values: Values) -> Value:
            present = value(values)
            if present is None:
                return None
            match = pattern.search(text_of(present))
            if name == "matches":
                return match is not None
            return None if match is None else extract_number(match.group(1 if pattern.groups else 0) or "")

        return evaluate

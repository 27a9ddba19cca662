"""Constraints: small expressions over flags, evaluated without Python's `eval`.

An absent flag makes what it takes part in unknown, as NULL does in SQL: `unknown or true` is true, `unknown and
false` is false, and a constraint that comes out unknown is not applied.
"""

from __future__ import annotations

import ast
import operator
import re
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

Scope = Mapping[str, Any]
_Part = Callable[[Scope], Any]

MAX_LENGTH = 1000
_MAX_DEPTH = 60
_MAX_BITS = 256

_ARITHMETIC: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: operator.pow,
}
_ORDER: dict[type[ast.cmpop], Callable[[Any, Any], bool]] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}
_FUNCTIONS: dict[str, Callable[..., Any]] = {"min": min, "max": max, "abs": abs}
ALLOWED = "numbers, texts, flags, + - * / // % **, comparisons, and, or, not, in [...], min, max, abs, x if c else y"


class ConstraintError(ValueError):
    """What is wrong, as a clause for a person. `column` counts from 1 within the text; 0: nowhere special."""

    def __init__(self, message: str, column: int = 0) -> None:
        super().__init__(message)
        self.column = column


@dataclass(frozen=True)
class Condition:
    """A constraint ready to be evaluated. `names` are the flags it uses, in its own spelling."""

    text: str
    names: frozenset[str]
    _part: _Part

    def holds(self, scope: Scope) -> bool | None:
        """True, False, or None where an absent flag leaves it open. Raises ConstraintError where it cannot be
        computed (text in arithmetic, division by zero)."""
        result = self._part(scope)
        if result is None or isinstance(result, bool):
            return result
        raise ConstraintError(f"gives {result!r}, neither true nor false; compare it with something")


def scope_name(flag: str) -> str:
    """How a constraint spells a flag: `tp-size` → `tp_size`."""
    return re.sub(r"\W", "_", flag)


def parse(text: str) -> Condition:
    """Raises ConstraintError."""
    stripped = text.strip()
    if not stripped or len(stripped) > MAX_LENGTH:
        raise ConstraintError("is empty" if not stripped else f"is longer than {MAX_LENGTH} characters")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(stripped, mode="eval")
    except SyntaxError as error:
        said = (error.msg or "invalid syntax").split(". Maybe")[0]
        raise ConstraintError(f"is not an expression: {said}", error.offset or 0) from None
    except (ValueError, RecursionError, MemoryError):
        raise ConstraintError("is not an expression") from None
    builder = _Builder(stripped, set())
    part = builder.build(tree.body, 0)
    return Condition(stripped, frozenset(builder.names), part)


@dataclass
class _Builder:
    text: str
    names: set[str]

    def build(self, node: ast.expr, depth: int) -> _Part:
        if depth > _MAX_DEPTH:
            raise ConstraintError("is nested too deeply")
        below = depth + 1
        match node:
            case ast.Constant(value=bool() | int() | float() | str() as constant):
                return lambda scope: constant
            case ast.Name(id="true" | "false" as word):
                return lambda scope: word == "true"
            case ast.Name(id=name):
                self.names.add(name)
                return lambda scope: scope.get(name)
            case ast.BoolOp(op=op, values=values):
                parts = [self.build(value, below) for value in values]
                return _any_of(parts) if isinstance(op, ast.Or) else _all_of(parts)
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                negated = self.build(operand, below)
                return lambda scope: None if (truth := _truth(negated(scope))) is None else not truth
            case ast.UnaryOp(op=ast.USub() | ast.UAdd() as sign, operand=operand):
                signed = self.build(operand, below)
                zero = operator.neg if isinstance(sign, ast.USub) else operator.pos
                return lambda scope: _computed(zero, signed(scope))
            case ast.BinOp(left=left, op=op, right=right) if type(op) in _ARITHMETIC:
                first, second, compute = self.build(left, below), self.build(right, below), _ARITHMETIC[type(op)]
                return lambda scope: _computed(compute, first(scope), second(scope))
            case ast.Compare(left=left, ops=ops, comparators=comparators):
                return self._comparison(left, ops, comparators, below)
            case ast.IfExp(test=test, body=body, orelse=orelse):
                return _choice(self.build(test, below), self.build(body, below), self.build(orelse, below))
            case ast.Call(func=ast.Name(id=function), args=args, keywords=[]) if function in _FUNCTIONS and args:
                if function == "abs" and len(args) != 1:
                    raise self._refusal(node)
                parts = [self.build(arg, below) for arg in args]
                return _called(_FUNCTIONS[function], parts)
            case _:
                raise self._refusal(node)

    def _comparison(self, left: ast.expr, ops: list[ast.cmpop], comparators: list[ast.expr], depth: int) -> _Part:
        first = self.build(left, depth)
        links: list[tuple[ast.cmpop, _Part]] = []
        for op, right in zip(ops, comparators, strict=True):
            if isinstance(op, ast.In | ast.NotIn):
                if not isinstance(right, ast.List | ast.Tuple):
                    raise self._refusal(right)
                links.append((op, _list_of([self.build(each, depth) for each in right.elts])))
            elif isinstance(op, ast.Is | ast.IsNot):
                raise ConstraintError("uses `is`; write == or != instead", left.col_offset + 1)
            else:
                links.append((op, self.build(right, depth)))

        def chain(scope: Scope) -> bool | None:
            value, result = first(scope), True
            unknown = False
            for op, part in links:
                other = part(scope)
                truth = _compared(op, value, other)
                if truth is None:
                    unknown = True
                elif not truth:
                    result = False
                value = other
            return False if not result else None if unknown else True

        return chain

    def _refusal(self, node: ast.expr) -> ConstraintError:
        what = ast.get_source_segment(self.text, node) or type(node).__name__
        return ConstraintError(f"uses `{what}`, which is not allowed; it may use {ALLOWED}", node.col_offset + 1)


def _truth(value: Any) -> bool | None:
    if value is None or isinstance(value, bool):
        return value
    raise ConstraintError(f"takes {value!r} for true or false; compare it with something")


def _any_of(parts: list[_Part]) -> _Part:
    def either(scope: Scope) -> bool | None:
        unknown = False
        for part in parts:
            truth = _truth(part(scope))
            if truth:
                return True
            unknown = unknown or truth is None
        return None if unknown else False

    return either


def _all_of(parts: list[_Part]) -> _Part:
    def every(scope: Scope) -> bool | None:
        unknown = False
        for part in parts:
            truth = _truth(part(scope))
            if truth is False:
                return False
            unknown = unknown or truth is None
        return None if unknown else True

    return every


def _choice(test: _Part, body: _Part, orelse: _Part) -> _Part:
    def chosen(scope: Scope) -> Any:
        truth = _truth(test(scope))
        return None if truth is None else body(scope) if truth else orelse(scope)

    return chosen


def _list_of(parts: list[_Part]) -> _Part:
    return lambda scope: [part(scope) for part in parts]


def _called(function: Callable[..., Any], parts: list[_Part]) -> _Part:
    # min(x) of one number is that number here, not an iteration over it.
    apply = function if function is abs else lambda *numbers: function(numbers)
    return lambda scope: _computed(apply, *(part(scope) for part in parts))


def _computed(compute: Callable[..., Any], *numbers: Any) -> Any:
    if any(number is None for number in numbers):
        return None
    for number in numbers:
        if not isinstance(number, int | float):
            raise ConstraintError(f"cannot compute with {_named(number)}")
    if compute is operator.pow and (abs(numbers[1]) > 64 or abs(numbers[0]) > 1e9):
        raise ConstraintError(f"{numbers[0]} ** {numbers[1]} is too large")
    try:
        result = compute(*numbers)
    except ZeroDivisionError:
        raise ConstraintError("divides by zero") from None
    except OverflowError:
        raise ConstraintError("comes to a number that is too large") from None
    if isinstance(result, complex):
        raise ConstraintError("takes the root of a negative number")
    if isinstance(result, int) and result.bit_length() > _MAX_BITS:
        raise ConstraintError("comes to a number that is too large")
    return result


def _compared(op: ast.cmpop, left: Any, right: Any) -> bool | None:
    if isinstance(op, ast.In | ast.NotIn):
        if left is None:
            return None
        if left in right:
            return isinstance(op, ast.In)
        return None if None in right else isinstance(op, ast.NotIn)
    if left is None or right is None:
        return None
    if isinstance(op, ast.Eq | ast.NotEq):
        return bool(left == right) == isinstance(op, ast.Eq)
    both = (isinstance(left, str) and isinstance(right, str)) or (
        isinstance(left, int | float) and isinstance(right, int | float)
    )
    if not both:
        raise ConstraintError(f"cannot order {_named(left)} and {_named(right)}")
    return _ORDER[type(op)](left, right)


def _named(value: Any) -> str:
    return f"the text {value!r}" if isinstance(value, str) else "a list" if isinstance(value, list) else str(value)

"""Sums of multiples of a linear program's variables."""

from __future__ import annotations

__all__ = ["Expression"]


class Expression:
    """A number plus multiples of variables; changed in place only while it is built.

    >>> twice = Expression(1.0, {3: 2.0}) + Expression(0.5, {3: 1.0}) * 2
    >>> twice.constant, twice.terms
    (2.0, {3: 4.0})
    """

    __slots__ = ("constant", "terms")

    def __init__(self, constant: float = 0.0, terms: dict[int, float] | None = None) -> None:
        self.constant = constant
        self.terms = {} if terms is None else terms

    def add(self, other: Expression, factor: float = 1.0) -> None:
        """Add a multiple of another one to this one."""
        self.constant += factor * other.constant
        for variable, coefficient in other.terms.items():
            self.terms[variable] = self.terms.get(variable, 0.0) + factor * coefficient

    def __add__(self, other: Expression) -> Expression:
        total = Expression(self.constant, dict(self.terms))
        total.add(other)
        return total

    def __sub__(self, other: Expression) -> Expression:
        return self + other * -1.0

    def __mul__(self, factor: float) -> Expression:
        terms = {variable: factor * value for variable, value in self.terms.items()}
        return Expression(factor * self.constant, terms)

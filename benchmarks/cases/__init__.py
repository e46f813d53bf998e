"""The cases, in the order of their letters."""

from __future__ import annotations

from benchmarks.case import Case
from benchmarks.cases import chain, logistic, loop, network, products, scalar

CASES: tuple[Case, ...] = (scalar.CASE, logistic.CASE, network.CASE, chain.CASE, loop.CASE, products.CASE)

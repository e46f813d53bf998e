"""Reads a value by the name that a branch gave it outside, not by the one that it had inside.

Before:                                            After:

    y.4 = if c.1                                       y.4 = if c.1
      y.2 = numpy.exp(x.0)                               y.2 = numpy.exp(x.0)
      yield y.2                                          yield y.2
    else                                               else
      yield x.0                                          yield x.0
    x_bar.7 = if c.1                                   x_bar.7 = if c.1
      x_bar.6 = operator.mul(y_bar.5, y.2)               x_bar.6 = operator.mul(y_bar.5, y.4)
      ...                                                ...

What a branch computed is read elsewhere only under the same test, where both names hold the same value. With one of
them gone both can be one variable; otherwise the text would hold a copy, `y_2 = y`.
"""

from __future__ import annotations

from srcgrad import ir
from srcgrad.optimize.rewriter import Rewriter


def merge_branch_names(function: ir.Function) -> ir.Function:
    return _Merging(function).run()


class _Merging(Rewriter):
    def emit(self, stmt: ir.Stmt) -> None:
        super().emit(stmt)
        if not isinstance(stmt, ir.Branch):
            return
        for block in ir.blocks(stmt):
            own = {name for inner in block.stmts for name in ir.defined(inner)}
            targets = stmt.targets[isinstance(stmt, ir.Try) :]
            for target, result in zip(targets, block.results, strict=True):
                if isinstance(result, ir.Var) and result.name in own:
                    self.replaced.setdefault(result.name, ir.Var(target))

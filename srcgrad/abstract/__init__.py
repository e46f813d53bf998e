"""Abstract evaluation: what the types of its operands tell of one operation's result.

    infer(Fn(np.matmul), [float64[x.0, x.1], float64[w.0]])           float64[x.0]
    infer(Fn(operator.getitem), [float64[x.0], Const(slice(1, -1))])  float64[x.0-2]
    evaluate(Attr("ndim"), [float64[x.0, x.1]])                       Const(2)

Everything claimed holds in every run that does not raise. Where an operation is pure, it is run on small arrays of
several sizes, and what all runs have in common is the claim (`probe`). Broadcasting, contraction, shapes as arguments
and indexing are worked out by hand (`shapes`, `index`): small runs cannot tell a rule from a coincidence there.
"""

from srcgrad.abstract.fold import evaluate
from srcgrad.abstract.inference import infer
from srcgrad.abstract.operands import Operand, type_of_operand
from srcgrad.abstract.raising import any_may_raise, may_raise

__all__ = ["Operand", "any_may_raise", "evaluate", "infer", "may_raise", "type_of_operand"]

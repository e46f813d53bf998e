"""The public transformations: `grad`, `value_and_grad` and `vjp`, and the `Derivative` that each of them makes.

    @grad
    def loss(w, x, y): ...

    loss(w, x, y)        # the gradient with respect to w
    loss.source          # the Python text that computed it
    loss.primal          # the function as it was written
"""

from srcgrad.api.derivative import Derivative, Wrt
from srcgrad.api.transformations import grad, value_and_grad, vjp

__all__ = ["Derivative", "Wrt", "grad", "value_and_grad", "vjp"]

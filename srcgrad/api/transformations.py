"""`grad`, `value_and_grad` and `vjp`: bare decorators, decorators with options, and functions of a function.

    @grad                       @grad(wrt="w")                gradient = grad(loss, ("w", "b"))
    def loss(w, x): ...         def loss(x, w): ...
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from srcgrad.api.derivative import Derivative, Optimize, Options, Wrt


def grad(
    function: Callable[..., Any] | None = None,
    wrt: Wrt = 0,
    has_aux: bool = False,
    *,
    optimize: Optimize = True,
    specialize: bool = True,
) -> Any:
    """The gradient of a scalar function, as a function of the same arguments.

    wrt: the position or the name of the parameter, or a tuple of such; with a tuple the result is a tuple. A method is
        differentiated with respect to one of its parameters by name; its position counts from `self`.
    has_aux: the function returns `(value, anything)`; the result is `(gradient, anything)`.
    optimize: False leaves the generated text as the differentiation wrote it; a frozenset names the passes to run.
    specialize: False uses one text for arguments of any type; where the function means one thing for numbers and
        another for arrays (`x *= 2` changes an array of the caller's), or arguments are containers, one for each such
        combination and structure.

    The gradient has the shape and the dtype of the parameter.

    Raises, before any of the function's code runs: `UnsupportedSyntax`, `NoRule` or `AliasedWrite` for what cannot be
    differentiated, `NonScalarOutput` for a result that is not one number, `NotDifferentiable` for an integer argument
    named in `wrt`, `UnknownParameter`, `SourceUnavailable`.

    >>> grad(lambda x: x ** 2)(3.0)
    6.0
    """
    return _transform(function, Options("grad", wrt, has_aux, optimize, specialize))


def value_and_grad(
    function: Callable[..., Any] | None = None,
    wrt: Wrt = 0,
    has_aux: bool = False,
    *,
    optimize: Optimize = True,
    specialize: bool = True,
) -> Any:
    """The value of a scalar function and its gradient, computed together: `(value, gradient)`. Otherwise as `grad`.

    With `has_aux` the value is the pair that the function returns: `((value, anything), gradient)`.

    >>> value_and_grad(lambda x: x ** 2)(3.0)
    (9.0, 6.0)
    """
    return _transform(function, Options("value_and_grad", wrt, has_aux, optimize, specialize))


def vjp(
    function: Callable[..., Any] | None = None,
    wrt: Wrt = 0,
    *,
    optimize: Optimize = True,
    specialize: bool = True,
) -> Any:
    """The vector-Jacobian product of a function: called with the keyword `seed`, it returns `(value, cotangent)`.

    The seed has the structure and the shapes of the function's result; the cotangent is the seed times the Jacobian,
    in the shape of the parameter. A seed of another dtype is taken where NumPy would assign it to an array of the
    result's. A result that is one number needs no seed: it is 1 then. Raises `SeedMismatch` for a seed that does not
    fit, before the function runs where the types of the arguments tell.

    The keyword is `seed_` for a function that has a parameter named `seed`.

    >>> import numpy as np
    >>> vjp(lambda x: 3 * x)(np.ones(2), seed=np.array([1.0, 0.1]))
    (array([3., 3.]), array([3. , 0.3]))
    """
    return _transform(function, Options("vjp", wrt, False, optimize, specialize))


def _transform(function: Callable[..., Any] | None, options: Options) -> Any:
    if function is None:
        return lambda f: Derivative(f, options)
    return Derivative(function, options)

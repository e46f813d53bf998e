"""Source-to-source automatic differentiation for NumPy code: gradients as readable Python."""

from srcgrad.api import Derivative, grad, value_and_grad, vjp
from srcgrad.errors import (
    AliasedWrite,
    NonScalarOutput,
    NoRule,
    NotDifferentiable,
    SeedMismatch,
    SourceUnavailable,
    SrcgradError,
    UnknownParameter,
    UnsupportedSyntax,
)
from srcgrad.runtime import no_grad, stop_gradient

__all__ = [
    "AliasedWrite",
    "Derivative",
    "NoRule",
    "NonScalarOutput",
    "NotDifferentiable",
    "SeedMismatch",
    "SourceUnavailable",
    "SrcgradError",
    "UnknownParameter",
    "UnsupportedSyntax",
    "grad",
    "no_grad",
    "stop_gradient",
    "value_and_grad",
    "vjp",
]

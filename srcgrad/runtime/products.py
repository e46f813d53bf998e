"""The transposes of products of arrays."""

from __future__ import annotations

from typing import Any

import numpy as np

from srcgrad.runtime.basic import unbroadcast, zeros_for


def untensordot_x(g: Any, x: Any, y: Any, axes: Any) -> Any:
    """The cotangent of `x` from that of `np.tensordot(x, y, axes)`."""
    of_x, of_y = _contracted(x.ndim, y.ndim, axes)
    free_y = [k for k in range(y.ndim) if k not in of_y]
    free_x = [k for k in range(x.ndim) if k not in of_x]
    order = free_x + [of_x[of_y.index(k)] for k in sorted(of_y)]
    return np.transpose(np.tensordot(g, y, (list(range(len(free_x), np.ndim(g))), free_y)), np.argsort(order))


def untensordot_y(g: Any, x: Any, y: Any, axes: Any) -> Any:
    """The cotangent of `y` from that of `np.tensordot(x, y, axes)`."""
    of_x, of_y = _contracted(x.ndim, y.ndim, axes)
    free_x = [k for k in range(x.ndim) if k not in of_x]
    free_y = [k for k in range(y.ndim) if k not in of_y]
    order = [of_y[of_x.index(k)] for k in sorted(of_x)] + free_y
    return np.transpose(np.tensordot(x, g, (free_x, list(range(len(free_x))))), np.argsort(order))


def _contracted(x_rank: int, y_rank: int, axes: Any) -> tuple[list[int], list[int]]:
    """The axes of the two arguments of `np.tensordot` that are summed over, from 0, in pairs."""
    if isinstance(axes, int | np.integer):
        return list(range(x_rank - int(axes), x_rank)), list(range(int(axes)))
    of_x, of_y = (np.atleast_1d(np.asarray(each, np.intp)) for each in axes)
    return [int(k) % x_rank for k in of_x], [int(k) % y_rank for k in of_y]


def kron_blocks(g: Any, x: Any, y: Any) -> Any:
    """The cotangent of `np.kron(x, y)` as an array over the axes of `x`, then those of `y`."""
    rank = max(x.ndim, y.ndim)
    outer, inner = ((1,) * (rank - a.ndim) + a.shape for a in (x, y))
    pairs = np.reshape(g, tuple(n for pair in zip(outer, inner, strict=True) for n in pair))
    blocks = np.moveaxis(pairs, tuple(range(0, 2 * rank, 2)), tuple(range(rank)))
    return np.reshape(blocks, x.shape + y.shape)


def join_blocks(blocks: Any, x: Any, y: Any) -> Any:
    """`kron_blocks` undone: an array over the axes of `x`, then those of `y`, in the shape of `np.kron(x, y)`."""
    rank = max(x.ndim, y.ndim)
    outer, inner = ((1,) * (rank - a.ndim) + a.shape for a in (x, y))
    pairs = np.moveaxis(np.reshape(blocks, outer + inner), tuple(range(rank)), tuple(range(0, 2 * rank, 2)))
    return np.reshape(pairs, tuple(m * n for m, n in zip(outer, inner, strict=True)))


def uneinsum(g: Any, k: int, subscripts: str, x: Any, y: Any = None, u: Any = None, v: Any = None) -> Any:
    """The cotangent of operand number `k` of `np.einsum(subscripts, x, y, u, v)`; None stands for no operand."""
    operands = tuple(operand for operand in (x, y, u, v) if operand is not None)
    terms, result = _einsum_terms(subscripts, [np.ndim(operand) for operand in operands])
    others = [(term, x) for i, (term, x) in enumerate(zip(terms, operands, strict=True)) if i != k]
    axes = "".join(dict.fromkeys(terms[k]))
    reached = "".join(c for c in axes if any(c in term for term in (result, *(term for term, _ in others))))
    inputs = ",".join([result, *(term for term, _ in others)])
    x_bar = np.einsum(f"{inputs}->{reached}", g, *(x for _, x in others))
    x_bar = np.reshape(x_bar, [x_bar.shape[reached.index(c)] if c in reached else 1 for c in axes])
    whole = zeros_for(operands[k], g)
    # For a repeated index such as "ii" this is a view of the diagonal, for others all of the array.
    diagonal = np.einsum(f"{terms[k]}->{axes}", whole) if axes else whole
    diagonal[...] = unbroadcast(x_bar, diagonal)
    return whole


def _einsum_terms(subscripts: str, ranks: list[int]) -> tuple[list[str], str]:
    """The terms of the operands and of the result, the result spelled out and ellipses replaced by letters."""
    inputs, arrow, result = subscripts.replace(" ", "").partition("->")
    terms = inputs.split(",")
    letters = inputs.replace(".", "").replace(",", "")
    if not arrow:
        result = "..." * ("..." in inputs) + "".join(sorted(c for c in set(letters) if letters.count(c) == 1))
    free = "".join(c for c in "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz" if c not in letters)
    hidden = [rank - len(term.replace("...", "")) for term, rank in zip(terms, ranks, strict=True)]
    widest = max((n for n, term in zip(hidden, terms, strict=True) if "..." in term), default=0)
    stretch = free[:widest]
    spelled = [t.replace("...", stretch[widest - n :]) if "..." in t else t for t, n in zip(terms, hidden, strict=True)]
    return spelled, result.replace("...", stretch)


def full_convolution(g: Any, x: Any, y: Any, mode: str) -> Any:
    """The cotangent of `np.convolve(x, y)` from that of `np.convolve(x, y, mode)`: zero where this was cut off."""
    shorter = min(x.size, y.size)
    start = shorter - 1 if mode == "valid" else (shorter - 1) // 2
    whole = np.zeros(x.size + y.size - 1, g.dtype)
    whole[start : start + g.size] = g
    return whole


def convolution_part(whole: Any, x: Any, y: Any, mode: str) -> Any:
    """What `np.convolve(x, y, mode)` keeps of the whole convolution."""
    shorter, longer = min(x.size, y.size), max(x.size, y.size)
    if mode == "full":
        return whole
    start = shorter - 1 if mode == "valid" else (shorter - 1) // 2
    return whole[start : start + (longer - shorter + 1 if mode == "valid" else longer)]

import numpy as np
from srcgrad.runtime import rebuilt, zeros


def dict_of_parameters_grad(params, X):
    """Gradient of `dict_of_parameters` with respect to `params`.

    From dict_of_parameters.py:1, for params: dict[w: float64[params.w.0], b: float],
    X: float64[:, :].
    """
    # reverse sweep
    # line 2: return np.sum((X @ params["w"] + params["b"]) ** 2)
    total_bar = 2 * (X @ params["w"] + params["b"])
    params_bar = zeros(params)
    params_bar["b"] += np.sum(total_bar)
    params_bar["w"] += X.T @ total_bar
    return rebuilt(params, params_bar)

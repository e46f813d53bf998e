"""Functions of Python floats with the functions of `math`."""

import math

from tests.programs import program


@program(args=lambda rng: (0.4,))
def trigonometry(x):
    return math.sin(x), math.cos(x), math.tan(x), math.asin(x), math.acos(x), math.atan(x)


@program(args=lambda rng: (0.4,))
def hyperbolic(x):
    return math.sinh(x), math.cosh(x), math.tanh(x), math.asinh(x), math.acosh(x + 2), math.atanh(x)


@program(args=lambda rng: (1.4,))
def exponentials_and_logarithms(x):
    return math.exp(x), math.expm1(x), math.log(x), math.log1p(x), math.log2(x), math.log10(x), math.sqrt(x)


@program(args=lambda rng: (1.4, 0.8), wrt=(0, 1))
def two_argument_functions(x, y):
    return math.pow(x, y), math.atan2(y, x), math.hypot(x, y), math.log(x, y + 2), math.copysign(x, -2.0)


@program(args=lambda rng: (-0.7,))
def absolute_values(x):
    y = abs(x) * math.fabs(x)
    if y > 0:
        y = y + abs(x)
    return y


@program(args=lambda rng: (0.8,))
def error_functions(x):
    return math.erf(x), math.erfc(x), math.gamma(x + 2), math.lgamma(x + 2)


@program(args=lambda rng: (2.7, 1.3), wrt=(0, 1))
def rounding_is_constant(x, y):
    k = math.floor(x)
    s = y
    for _ in range(int(x) + round(y)):
        s = s * y + k
    return s * x, math.ceil(x) * y


@program(args=lambda rng: (7.3, 2.0), wrt=(0, 1))
def floor_division_and_modulo(x, y):
    whole = x // y
    rest = x % y
    return whole * x + rest * y


@program(args=lambda rng: (0.5,))
def powers_of_a_scalar(x):
    s = x**2 + x**-1 + x**0.5 + 2**x + (-x) ** 3
    for n in range(4):
        s = s + x**n
    return s


@program(args=lambda rng: (3, 0.4), wrt="x")
def integer_argument(n, x):
    s = n
    for i in range(n):
        s = s * x + i / n
    return s


@program(args=lambda rng: (0.4, 1.13), wrt=(0, 1))
def float_and_int_conversions(x, y):
    n = int(10 * y)
    z = float(x) * n
    return z * bool(n) + float(y)


@program(args=lambda rng: (0.3,))
def unary_operators(x):
    y = -x
    z = +y
    if not (z > 0):
        z = -(-z) * y
    return z - -x


@program(args=lambda rng: (0.2, 1.4), wrt=(0, 1))
def secant_method(a, b):
    fa = math.cos(a) - a
    while abs(b - a) > 1e-3:
        fb = math.cos(b) - b
        a, b, fa = b, b - fb * (b - a) / (fb - fa), fb
    return b


@program(args=lambda rng: (0.6,))
def bessel_series(x):
    term = 1.0
    total = 1.0
    k = 0
    while abs(term) > 1e-12:
        k += 1
        term = -term * (x / 2) ** 2 / (k * k)
        total += term
    return total


@program(args=lambda rng: (0.8, 0.6))
def arithmetic_geometric_mean(a, b):
    for _ in range(4):
        a, b = (a + b) / 2, math.sqrt(a * b)
    return a


@program(args=lambda rng: (0.35, 0.9), wrt=(0, 1))
def kepler_equation(eccentricity, anomaly):
    e = anomaly
    for _ in range(20):
        step = (e - eccentricity * math.sin(e) - anomaly) / (1 - eccentricity * math.cos(e))
        e = e - step
        if abs(step) < 1e-14:
            break
    return e

"""Every differentiation rule, one family a file; importing this package fills the registry."""

from srcgrad.rules import calculus as _calculus
from srcgrad.rules import elementwise as _elementwise
from srcgrad.rules import helpers as _helpers
from srcgrad.rules import helpers_products as _helpers_products
from srcgrad.rules import norms as _norms
from srcgrad.rules import operators as _operators
from srcgrad.rules import indexing as _indexing
from srcgrad.rules import joining as _joining
from srcgrad.rules import linalg as _linalg
from srcgrad.rules import products as _products
from srcgrad.rules import reductions as _reductions
from srcgrad.rules import shapes as _shapes
from srcgrad.rules import statistics as _statistics

# isort: split
from srcgrad.rules import constants as _constants

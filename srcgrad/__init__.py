"""Source-to-source automatic differentiation for NumPy code."""

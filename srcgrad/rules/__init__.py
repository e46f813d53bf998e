"""Every differentiation rule, one family a file; importing this package fills the registry."""

"""E-13B, the magnetic ink type at the foot of cheques: drawn from its grid, so that a network learns it from drawings."""

__all__: list[str] = []

"""E-13B, the magnetic ink type at the foot of cheques, drawn from its grid for a network to learn from."""

__all__: list[str] = []

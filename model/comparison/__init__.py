"""Classical methods and networks, trained and tested side by side on the same glyphs."""

__all__: list[str] = []

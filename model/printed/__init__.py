"""The reader of print: fonts, what is printed, how it looks on paper, and the lines that it learns from."""

__all__: list[str] = []

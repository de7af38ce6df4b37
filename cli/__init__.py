"""The tallyscan command."""

__all__: list[str] = []

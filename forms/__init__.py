"""What a field may say: field types, the decoder, and the accept-or-review policy."""

__all__: list[str] = []

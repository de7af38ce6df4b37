"""The network: data, training, evaluation, export, the recogniser and its artifacts."""

__all__: list[str] = []

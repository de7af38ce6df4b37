"""The network: architectures, data, training, evaluation, export, the recogniser and the shipped artifacts."""

__all__: list[str] = []

"""The line reader: a convolutional network with CTC that reads a field as a whole, and its training material."""

__all__: list[str] = []

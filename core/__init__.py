"""The vocabulary that every other package speaks: types, statuses, errors, settings, queues, logging."""

__all__: list[str] = []

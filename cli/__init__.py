"""The `tallyscan` command: one module a command, a client of the HTTP interface, the supervisor."""

__all__: list[str] = []

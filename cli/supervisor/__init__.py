"""The embedded service: broker, API, worker and beat under one supervisor, `tallyscan up`."""

from cli.supervisor.service import supervise

__all__ = ["supervise"]

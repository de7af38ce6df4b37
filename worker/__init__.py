"""The Celery application and the pipeline that turns bytes into a reading."""

__all__: list[str] = []

"""What gunicorn loads: `gunicorn --config python:api.gunicorn_conf api.wsgi:app`."""

from api.app import create_app
from core.logging import configure_logging
from core.settings import Settings

_settings = Settings()
configure_logging(_settings.log_level, json=_settings.log_json)

app = create_app(_settings)

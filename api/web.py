"""The browser page: static files, the one-time link that signs in, and the headers that fence it in."""

import fcntl
import hashlib
import os
import secrets
from datetime import timedelta
from pathlib import Path
from typing import cast

from apiflask import APIBlueprint
from flask import Flask, Request, Response, redirect, request, send_from_directory, session
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface, SessionMixin
from flask.typing import ResponseReturnValue
from itsdangerous import URLSafeTimedSerializer
from werkzeug.exceptions import MethodNotAllowed

from api.auth import SESSION_KEY, check_page_header, end_session
from api.services import services
from core.errors import Unauthorized
from core.files import sync_folder
from core.settings import Settings
from storage.keys import SESSION_SECONDS

blueprint = APIBlueprint("web", __name__, enable_openapi=False)

PAGE_FOLDER = Path(__file__).parent / "web"

COOKIE_NAME = "tallyscan_session"

SECURITY_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'self'; img-src 'self' blob:; object-src 'none'; base-uri 'none'; form-action 'self'; "
        "frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
}


class PageSessions(SecureCookieSessionInterface):
    """Signed cookies; the signing key is read, or made, only when a cookie comes or goes."""

    digest_method = staticmethod(hashlib.sha256)

    def __init__(self, settings: Settings) -> None:
        """Sign with the settings' key, or with one in the home folder."""
        self._settings = settings

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        """Return what the cookie says, or an empty session."""
        if self.get_cookie_name(app) not in request.cookies:
            return self.session_class()
        return super().open_session(app, request)

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        """Set the cookie where the session has changed."""
        if session or session.modified:
            super().save_session(app, session, response)

    def get_signing_serializer(self, app: Flask) -> URLSafeTimedSerializer | None:
        """Return what signs and checks cookies."""
        if not app.secret_key:
            app.secret_key = self._settings.secret_key or read_secret(self._settings.home / "secret.key")
        return super().get_signing_serializer(app)

    def get_cookie_secure(self, app: Flask) -> bool:  # noqa: ARG002 - Flask's signature
        """Return whether the cookie is for HTTPS only: wherever the page came over HTTPS."""
        return request.is_secure


def install(app: Flask, settings: Settings) -> None:
    """Serve the page from `app`, with its sessions and headers."""
    app.config.update(
        SESSION_COOKIE_NAME=COOKIE_NAME,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Strict",
        PERMANENT_SESSION_LIFETIME=timedelta(seconds=SESSION_SECONDS),
        SESSION_REFRESH_EACH_REQUEST=False,
    )
    app.session_interface = PageSessions(settings)
    app.after_request(add_headers)


def read_secret(path: Path) -> str:
    """Return the secret in a file of mode 0600, making it when there is none; the first of several processes wins.

    An empty file is none: a power cut may have left it.
    """
    if path.exists() and (kept := path.read_text().strip()):
        return kept
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), "r+") as file:  # noqa: PTH123 - a path has no mode
        fcntl.flock(file, fcntl.LOCK_EX)  # until the file is closed
        if made := file.read().strip():
            return made
        made = secrets.token_hex(32)
        file.seek(0)
        file.write(made)
        file.flush()
        os.fsync(file.fileno())
        sync_folder(path.parent)
        return made


def add_headers(response: Response) -> Response:
    """Return the response with the headers that keep foreign pages and caches out."""
    for name, value in SECURITY_HEADERS.items():
        response.headers.setdefault(name, value)
    if request.path.startswith("/v1/"):
        response.headers.setdefault("Cache-Control", "private, no-cache")
        response.vary.update(("Authorization", "Cookie"))
    return response


@blueprint.get("/")
def index() -> Response:
    """Return the page."""
    return send_from_directory(PAGE_FOLDER, "index.html")


@blueprint.get("/login")
def login() -> ResponseReturnValue:
    """Turn a one-time token into the page's cookie, and lead to the page."""
    if request.method != "GET":  # HEAD comes with every GET, and from what only looks whether a link leads somewhere
        raise MethodNotAllowed(["GET"])
    opened = services().store.login_tokens.redeem(request.args.get("token", ""))
    if opened is None and "text/html" in request.headers.get("Accept", ""):
        return cast("ResponseReturnValue", redirect("/?link=expired", 303))  # the page says so, and asks for a key
    if opened is None:
        raise Unauthorized("This link was used already or has run out; sign in with a key, or restart for a new link.")
    end_session()  # one that this browser had before
    session.permanent = True
    session[SESSION_KEY] = opened.id
    answer = redirect("/", 303)
    answer.headers["Cache-Control"] = "no-store"
    return cast("ResponseReturnValue", answer)


@blueprint.post("/logout")
def logout() -> ResponseReturnValue:
    """End the page's session, and take its cookie away.

    Raises:
        Forbidden: the header is missing that shows that the page asks.
        DatabaseUnavailable: the session cannot be ended just now.
    """
    check_page_header()
    end_session()
    return "", 204

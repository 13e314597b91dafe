"""A real OpenID provider in a process of its own: Django OAuth Toolkit, on loopback, with two people.

Run as ``python -m tests.identity.provider PORT FOLDER REDIRECT_URI``.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, make_server

import django
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from django.conf import settings
from django.core.management import call_command
from django.core.wsgi import get_wsgi_application
from django.urls import include, path

CLIENT_ID = "assent"
CLIENT_SECRET = "a secret between Assent and the provider of the tests"
PASSWORD = "a password at the provider"
VERIFIED, UNVERIFIED = "verified@example.com", "unverified@example.com"

_LOGIN = "<form method=post>{% csrf_token %}{{ form.as_p }}<button>In</button></form>"

urlpatterns: list[Any] = []


def private_key() -> str:
    """A fresh signing key."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    encoding, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    return key.private_bytes(encoding, form, serialization.NoEncryption()).decode()


def configure(port: int, folder: Path) -> None:
    """Set Django up."""
    settings.configure(
        SECRET_KEY="a key of the provider of the tests",
        ALLOWED_HOSTS=["127.0.0.1"],
        DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": str(folder / "provider.db")}},
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
        INSTALLED_APPS=[
            "django.contrib.auth",
            "django.contrib.contenttypes",
            "django.contrib.sessions",
            "oauth2_provider",
        ],
        MIDDLEWARE=[
            "django.contrib.sessions.middleware.SessionMiddleware",
            "django.contrib.auth.middleware.AuthenticationMiddleware",
        ],
        TEMPLATES=[
            {
                "BACKEND": "django.template.backends.django.DjangoTemplates",
                "OPTIONS": {
                    "loaders": [
                        (
                            "django.template.loaders.locmem.Loader",
                            {"registration/login.html": _LOGIN},
                        )
                    ]
                },
            }
        ],
        ROOT_URLCONF="tests.identity.provider",
        LOGIN_URL="/login/",
        USE_TZ=True,
        PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"],
        OAUTH2_PROVIDER={
            "OIDC_ENABLED": True,
            "OIDC_ISS_ENDPOINT": f"http://127.0.0.1:{port}/o",
            "OIDC_RSA_PRIVATE_KEY": private_key(),
            "PKCE_REQUIRED": True,
            "SCOPES": {"openid": "Who you are", "email": "Your address", "profile": "Your name"},
            "OAUTH2_VALIDATOR_CLASS": "tests.identity.provider_claims.Claims",
        },
    )
    django.setup()


def furnish(redirect_uri: str) -> None:
    """Add the people and the client."""
    from django.contrib.auth import get_user_model
    from oauth2_provider.models import get_application_model

    call_command("migrate", verbosity=0)
    people: Any = get_user_model().objects
    for address in (VERIFIED, UNVERIFIED):
        people.create_user(address.partition("@")[0], address, PASSWORD, first_name="Vera")
    applications: Any = get_application_model().objects
    applications.create(
        name="Assent",
        client_id=CLIENT_ID,
        client_secret=CLIENT_SECRET,
        client_type="confidential",
        authorization_grant_type="authorization-code",
        redirect_uris=redirect_uri,
        skip_authorization=True,
        algorithm="RS256",
    )


def main(port: int, folder: Path, redirect_uri: str) -> None:
    """Serve until the process is ended."""
    configure(port, folder)
    furnish(redirect_uri)
    from django.contrib.auth.views import LoginView
    from oauth2_provider import urls

    urlpatterns.extend([path("o/", include(urls)), path("login/", LoginView.as_view())])
    sys.modules["tests.identity.provider"] = sys.modules["__main__"]

    class Quiet(WSGIRequestHandler):
        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing."""

    with make_server("127.0.0.1", port, get_wsgi_application(), handler_class=Quiet) as server:
        print("ready", flush=True)
        server.serve_forever()


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]), sys.argv[3])

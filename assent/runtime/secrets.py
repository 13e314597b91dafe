"""The key that signs sessions and links, kept in the data folder where none is configured."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from assent.domain.errors import Unavailable
from assent.runtime.settings import Settings

FILE_NAME = "secret.key"


def signing_key(settings: Settings) -> str:
    """Return the configured key, or the one in the data folder, made on first use with mode 0600.

    Raises:
        Unavailable: The data folder cannot be written, or the file in it is damaged.
    """
    if settings.secret_key is not None:
        return settings.secret_key.get_secret_value()
    path = settings.data_dir / FILE_NAME
    try:
        if not path.exists():
            _create(path)
        key = path.read_text(encoding="ascii").strip()
    except OSError as error:
        raise Unavailable(
            f"The signing key cannot be read or made: {error.strerror}.",
            where=str(path),
            todo="Make the data folder writable for this user, or set ASSENT_SECRET_KEY.",
        ) from error
    if len(key) < 32:
        raise Unavailable(
            "The signing key file is damaged.",
            where=str(path),
            todo="Delete it to get a new key; everyone then has to sign in again.",
        )
    return key


def _create(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w", encoding="ascii") as file:
        file.write(secrets.token_urlsafe(48))
    try:
        # A link never replaces: of several processes that start together, the first one's key counts.
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()

"""API keys as they are stored: what tells a right key from a wrong one, and never the key.

Every method blocks and is safe for use by several threads; the service calls them in worker threads.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime

from sqlalchemy import or_, select, update

from app.store.database import Database
from app.store.tables import ApiKey

__all__ = ["KeyStore", "StoredKey"]


@dataclass(frozen=True, slots=True)
class StoredKey:
    """A row of the table: see `app.store.tables.ApiKey`."""

    id: str
    name: str
    digest: str
    secret_tag: str
    scopes: list[str]
    requests_a_minute: int | None
    created: datetime
    expires: datetime | None = None
    last_used: datetime | None = None
    revoked: datetime | None = None

    def is_usable(self, now: datetime) -> bool:
        """Tell whether the key is neither revoked nor expired."""
        return self.revoked is None and (self.expires is None or now < self.expires)


class KeyStore:
    """API keys by id.

    Every method raises `StoreDownError` where the database cannot be reached or takes too long, and
    `StoreError` where it refuses.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, key: StoredKey) -> None:
        """Keep a new key."""
        with self._database.begin(write=True) as connection:
            connection.execute(self._database.insert(ApiKey).values(**asdict(key)))

    def all(self) -> list[StoredKey]:
        """Return every key, revoked and expired ones too, oldest first."""
        columns = [getattr(ApiKey, name) for name in StoredKey.__dataclass_fields__]
        with self._database.begin() as connection:
            rows = connection.execute(select(*columns).order_by(ApiKey.created, ApiKey.id)).all()
        return [StoredKey(*row) for row in rows]

    def revoke(self, key_id: str) -> bool:
        """Make a key useless for good; return whether there is one. The first revocation's time stays."""
        with self._database.begin(write=True) as connection:
            known = connection.scalar(select(ApiKey.id).where(ApiKey.id == key_id))
            unrevoked = update(ApiKey).where(ApiKey.id == key_id, ApiKey.revoked.is_(None))
            connection.execute(unrevoked.values(revoked=datetime.now(UTC)))
        return known is not None

    def note_use(self, used: Mapping[str, datetime]) -> None:
        """Keep when keys were last used; an earlier time than the known one changes nothing."""
        with self._database.begin(write=True) as connection:
            for key_id, moment in used.items():
                older = or_(ApiKey.last_used.is_(None), ApiKey.last_used < moment)
                connection.execute(update(ApiKey).where(ApiKey.id == key_id, older).values(last_used=moment))

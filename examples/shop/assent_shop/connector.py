"""The shop as a connector: all its tools on one row store."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError

from assent.domain.errors import InvalidInput, Unavailable
from assent_activities.connectors.contract import Connector, ConnectorEnvironment, ConnectorUnavailable, Operation
from assent_activities.connectors.counter_messages import CounterPost
from assent_activities.connectors.sql_rows import RowDatabase, RowStore
from assent_shop import catalogue as types
from assent_shop.crediting import GiveCredit
from assent_shop.data import create_shop, load_tau2
from assent_shop.desk import changing, finding
from assent_shop.mail import SendMail
from assent_shop.operations import Change, LookUp, Work
from assent_shop.stock import sample_shop
from assent_shop.tables import TABLES

_LOOK_UPS: Mapping[str, Work] = {
    "shop.get_order_details": finding.get_order_details,
    "shop.get_user_details": finding.get_user_details,
    "shop.get_product_details": finding.get_product_details,
    "shop.get_item_details": finding.get_item_details,
    "shop.list_all_product_types": finding.list_all_product_types,
    "shop.find_user_id_by_email": finding.find_user_id_by_email,
    "shop.find_user_id_by_name_zip": finding.find_user_id_by_name_zip,
    "shop.calculate": finding.work_out,
    "shop.transfer_to_human_agents": finding.hand_over,
}
_CHANGES = (
    (types.CANCEL, changing.cancel_pending_order),
    (types.MOVE_ORDER, changing.modify_pending_order_address),
    (types.MOVE_USER, changing.modify_user_address),
    (types.CHANGE_PAYMENT, changing.modify_pending_order_payment),
    (types.MODIFY_ITEMS, changing.modify_pending_order_items),
    (types.EXCHANGE, changing.exchange_delivered_order_items),
    (types.RETURN, changing.return_delivered_order_items),
    (types.NOTE, changing.add_order_note),
)

CLOSED_SIGN = "shop-is-closed"
"""Name of the file in the data folder that closes the shop while it is there, to see what the agent does then."""


class ShopOptions(BaseModel):
    """Options of the shop's entry in the connectors file.

    Attributes:
        url: SQLAlchemy URL of its database; a relative SQLite file lies in the data folder.
        tau2: Folder of the public retail benchmark to fill an empty shop from; empty fills it with the shop's own.
        mail_seconds: How long sending a mail takes.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    url: str = "sqlite:///shop.db"
    tau2: str = ""
    mail_seconds: float = Field(default=2.0, ge=0, le=600)


class Shop:
    """The shop's tools on its database.

    Args:
        database: The database, with the shop in it.
        mail_seconds: How long sending a mail takes.
        post: Assent's own mail, for corrections of mails; ``None`` where none is set up.
        closed_sign: A file that says, while it is there, that the shop is closed; ``None`` if there is no such place.
    """

    name = "shop"

    def __init__(
        self,
        database: RowDatabase,
        *,
        mail_seconds: float = 2.0,
        closed_sign: Path | None = None,
        post: CounterPost | None = None,
    ) -> None:
        self.store = RowStore(self.name, database, TABLES)
        self._mail_seconds = mail_seconds
        self._post = post
        self._closed_sign = closed_sign

    def operations(self) -> Sequence[Operation]:
        """All tools."""
        return [
            *(LookUp(type, self.store, _LOOK_UPS[type.name]) for type in types.LOOK_UPS),
            *(Change(type, self.store, work) for type, work in _CHANGES),
            GiveCredit(types.CREDIT, self.store, changing.give_store_credit),
            SendMail(types.MAIL, self.store, self._mail_seconds, post=self._post),
        ]

    def probe(self) -> None:
        """Whether the shop is open and its database answers.

        Raises:
            ConnectorUnavailable: It is not.
        """
        if self._closed_sign is not None and self._closed_sign.exists():
            raise ConnectorUnavailable("The shop is closed for stocktaking.")
        self.store.probe()

    def close(self) -> None:
        """Give back connections."""
        self.store.close()


def build(environment: ConnectorEnvironment) -> Connector:
    """Make the connector from the options of its entry (see :class:`ShopOptions`), and the shop if there is none yet.

    Raises:
        InvalidInput: An option is wrong.
        Unavailable: The database cannot be reached.
    """
    try:
        options = ShopOptions.model_validate(dict(environment.options))
        database = RowDatabase(_url(options.url, environment.data_dir))
    except (ValidationError, ArgumentError, ValueError) as error:
        raise InvalidInput(f"The options of the shop cannot be used: {error}", where="connectors file") from error
    try:
        create_shop(database.engine, load_tau2(Path(options.tau2)) if options.tau2 else sample_shop())
    except OSError as error:
        database.close()
        raise InvalidInput(f"The benchmark's data cannot be read: {error}.", where="tau2") from error
    except DBAPIError as error:
        database.close()
        raise Unavailable(
            "The shop's database does not answer.", where=database.url.render_as_string(hide_password=True)
        ) from error
    return Shop(
        database,
        mail_seconds=options.mail_seconds,
        closed_sign=environment.data_dir / CLOSED_SIGN,
        post=environment.post,
    )


def _url(url: str, data_dir: Path) -> str:
    made = make_url(url)
    if made.get_backend_name() == "sqlite" and made.database:
        made = made.set(database=str(data_dir / made.database))
    return made.render_as_string(hide_password=False)

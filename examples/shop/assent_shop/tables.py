"""The shop's tables. Nested content is JSON, as the shop's own software stores it."""

from __future__ import annotations

from sqlalchemy import JSON, Column, DateTime, Float, Index, MetaData, String, Table, Text, func

metadata = MetaData()

users = Table(
    "users",
    metadata,
    Column("user_id", String(80), primary_key=True),
    Column("name", JSON, nullable=False),
    Column("address", JSON, nullable=False),
    Column("email", String(120), nullable=False),
    Column("payment_methods", JSON, nullable=False),
    Column("orders", JSON, nullable=False),
)
Index("users_by_email", func.lower(users.c.email))

products = Table(
    "products",
    metadata,
    Column("product_id", String(40), primary_key=True),
    Column("name", String(120), nullable=False),
    Column("variants", JSON, nullable=False),
)

orders = Table(
    "orders",
    metadata,
    Column("order_id", String(40), primary_key=True),
    Column("user_id", String(80), nullable=False, index=True),
    Column("address", JSON, nullable=False),
    Column("items", JSON, nullable=False),
    Column("status", String(40), nullable=False),
    Column("fulfillments", JSON, nullable=False),
    Column("payment_history", JSON, nullable=False),
    Column("cancel_reason", String(80)),
    Column("exchange_items", JSON(none_as_null=True)),
    Column("exchange_new_items", JSON(none_as_null=True)),
    Column("exchange_payment_method_id", String(80)),
    Column("exchange_price_difference", Float),
    Column("return_items", JSON(none_as_null=True)),
    Column("return_payment_method_id", String(80)),
)

notes = Table(
    "notes",
    metadata,
    Column("note_id", String(40), primary_key=True),
    Column("order_id", String(40), nullable=False, index=True),
    Column("text", Text, nullable=False),
    Column("at", DateTime(timezone=True), nullable=False, server_default=func.now()),
)

outgoing_mail = Table(
    "outgoing_mail",
    metadata,
    Column("mail_id", String(40), primary_key=True),
    Column("user_id", String(80), nullable=False, index=True),
    Column("recipient", String(120), nullable=False),
    Column("subject", String(200), nullable=False),
    Column("body", Text, nullable=False),
    Column("at", DateTime(timezone=True), nullable=False, server_default=func.now()),
)

bookings = Table(
    "bookings",
    metadata,
    Column("booking_id", String(40), primary_key=True),
    Column("user_id", String(80), nullable=False, index=True),
    Column("gift_card_id", String(80), nullable=False),
    Column("amount", Float, nullable=False),
    Column("because", Text, nullable=False),
    Column("balances", String(40)),
    Column("at", DateTime(timezone=True), nullable=False, server_default=func.now()),
)

TABLES = {table.name: table for table in (users, products, orders, notes, outgoing_mail, bookings)}

"""How messages are written for Temporal: pydantic models as JSON, by one converter for the whole process."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Self

from pydantic import BaseModel
from temporalio.api.common.v1 import Payload
from temporalio.contrib.pydantic import PydanticPayloadConverter
from temporalio.converter import DataConverter


class OneConverter(PydanticPayloadConverter):
    """The SDK's converter for pydantic models, made once.

    The SDK makes a converter anew for each run and each step of a workflow, which builds its serializers and forgets
    the schemas that it has seen. It keeps nothing else, so all of them can be the same.
    """

    _one: ClassVar[Self | None] = None

    def __new__(cls) -> Self:
        """Give the one there is."""
        if cls._one is None:
            cls._one = super().__new__(cls)
        return cls._one

    def __init__(self) -> None:
        if not hasattr(self, "converters"):
            super().__init__()
            self._json = self.converters[b"json/plain"]

    def to_payloads(self, values: Sequence[Any]) -> list[Payload]:
        """Write models at once; for anything else, ask each way in turn whether it knows it."""
        if any(not isinstance(value, BaseModel) for value in values):
            return super().to_payloads(values)
        return [payload for value in values if (payload := self._json.to_payload(value)) is not None]


DATA_CONVERTER = DataConverter(payload_converter_class=OneConverter)
"""What every client of the product is connected with; it writes what the SDK's ``pydantic_data_converter`` writes."""

"""Arguments as a form: what a person can edit field by field, and as raw JSON where a form would lie.

A field's name is the JSON pointer (RFC 6901) of its place, ``/items/0/price``, so the names that a browser or Slack
sends back need no table. :func:`form_of` builds a form of a JSON Schema and of arguments; :func:`read_form` turns what
was sent into arguments again.
"""

from assent.domain.forms.building import form_of, written
from assent.domain.forms.model import OTHERS, REMOVE, Choice, Field, FieldKind, Form, pointer
from assent.domain.forms.reading import FormResult, read_form

__all__ = [
    "OTHERS",
    "REMOVE",
    "Choice",
    "Field",
    "FieldKind",
    "Form",
    "FormResult",
    "form_of",
    "pointer",
    "read_form",
    "written",
]

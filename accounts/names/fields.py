"""The field of a form for texts that members and staff write."""

from typing import Any

from django import forms

from accounts.names.texts import plain_text


class PlainTextField(forms.CharField):
    """A text as `plain_text` returns it. `max_length` counts after CRLF has become LF, as browsers count."""

    def to_python(self, value: Any) -> str:
        text = super().to_python(value) or ""
        lines = isinstance(self.widget, forms.Textarea)
        return plain_text(text, lines=lines, required=self.required and bool(text))

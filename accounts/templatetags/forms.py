"""Forms of allauth, as our pages show them."""

from typing import TypeVar

from django import forms, template

register = template.Library()

F = TypeVar("F", bound=forms.BaseForm)


@register.filter
def without_placeholders(form: F) -> F:
    """The form without the placeholders that allauth sets: they repeat the labels."""
    for field in form.fields.values():
        field.widget.attrs.pop("placeholder", None)
    return form

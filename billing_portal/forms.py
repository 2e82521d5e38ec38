"""How every form is drawn."""

from typing import Any

from django.forms import BoundField
from django.forms.renderers import DjangoTemplates
from django.forms.widgets import Widget


class FocusedBoundField(BoundField):
    """The only thing wrong with a form takes the focus; several are named above it, see _form_errors.html."""

    def build_widget_attrs(self, attrs: dict[str, Any], widget: Widget | None = None) -> dict[str, Any]:
        attrs = super().build_widget_attrs(attrs, widget)
        if self.errors and len(self.form.errors) == 1:
            attrs["autofocus"] = True
        return attrs


class Renderer(DjangoTemplates):
    bound_field_class = FocusedBoundField

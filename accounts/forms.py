"""The forms in which members describe themselves: log-in, sign-up, profile."""

from typing import Any

from allauth.account import forms as allauth_forms
from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext_lazy as _

from accounts.mail import sends_mail
from accounts.models import User
from accounts.names.fields import PlainTextField
from accounts.names.protection import refuse_borrowed_name
from accounts.pictures.avatars import square_avatar

HANDLE_INPUT = {"autocapitalize": "none", "autocorrect": "off", "spellcheck": "false"}


class LoginForm(allauth_forms.LoginForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["login"].label = _("Handle")
        self.fields["login"].widget.attrs |= HANDLE_INPUT

    def clean_login(self) -> str:
        """Take `@hana` for `hana`: the pages show handles in this way."""
        return super().clean_login().removeprefix("@")


class SignupForm(allauth_forms.SignupForm):
    field_order = ["username", "display_name", "email", "password1", "password2"]

    display_name = PlainTextField(
        label=_("Your name (optional)"),
        max_length=50,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
        help_text=_("Shown next to your handle. You can change it at any time."),
    )

    def clean_display_name(self) -> str:
        refuse_borrowed_name(self.cleaned_data["display_name"])
        return str(self.cleaned_data["display_name"])

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        handle = self.fields["username"]
        handle.label = _("Handle")
        handle.help_text = _(
            "3 to 30 characters: letters a to z, digits and underscores. Others find you by it. "
            "You cannot change it later."
        )
        handle.widget.attrs |= HANDLE_INPUT
        if not sends_mail():
            del self.fields["email"]
            return
        self.fields["email"].label = _("Email address (optional)")
        self.fields["email"].help_text = _(
            "For a forgotten password and for messages about changes of your account. Other members never see it."
        )


class ProfileForm(forms.ModelForm):
    avatar = forms.FileField(
        label=_("Picture"),
        required=False,
        widget=forms.FileInput(attrs={"accept": "image/jpeg,image/png,image/webp,image/gif"}),
        help_text=_("JPEG, PNG, WebP or GIF, at most 8 MB. It is cropped to a square around its centre."),
    )
    remove_avatar = forms.BooleanField(label=_("Remove the picture"), required=False)

    class Meta:
        model = User
        fields = ["display_name", "bio", "approves_followers"]
        field_classes = {"display_name": PlainTextField, "bio": PlainTextField}
        widgets = {"bio": forms.Textarea(attrs={"rows": 3, "maxlength": 300})}
        help_texts = {
            "approves_followers": _(
                "People have to ask before they can follow you. Your current followers stay, but you can remove them."
            )
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.order_fields(["avatar", "remove_avatar", "display_name", "bio", "approves_followers"])
        if not self.instance.avatar:
            del self.fields["remove_avatar"]

    def clean_display_name(self) -> str:
        """A name that a member has already stays."""
        if "display_name" in self.changed_data:
            refuse_borrowed_name(self.cleaned_data["display_name"], self.instance)
        return str(self.cleaned_data["display_name"])

    def clean_avatar(self) -> Any:
        upload = self.cleaned_data["avatar"]
        return square_avatar(upload) if isinstance(upload, UploadedFile) else None

    def save(self, commit: bool = True) -> User:
        person = self.instance
        person.save(update_fields=self.Meta.fields)
        if self.cleaned_data["avatar"]:
            person.change_avatar(self.cleaned_data["avatar"])
        elif self.cleaned_data.get("remove_avatar"):
            person.change_avatar(None)
        return person

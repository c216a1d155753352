"""What can be reported, how urgent it is, and the note that reviewers read before they play any sound."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Breach(models.TextChoices):
    """The reasons of the report form, in its order."""

    HARASSMENT = "harassment", _("Harassment or bullying")
    HATE = "hate", _("Hate against a person or a group")
    VIOLENCE = "violence", _("Threats or calls for violence")
    SELF_HARM = "self_harm", _("Suicide or self-harm")
    MINORS = "minors", _("Danger to a child")
    SEXUAL = "sexual", _("Unwanted sexual content")
    PRIVATE = "private", _("Someone's private information")
    SPAM = "spam", _("Spam, fraud or deception")
    OTHER = "other", _("Something else")


class Severity(models.IntegerChoices):
    URGENT = 4, _("urgent")
    HIGH = 3, _("high")
    MEDIUM = 2, _("medium")
    LOW = 1, _("low")


SEVERITY = {
    Breach.MINORS: Severity.URGENT,
    Breach.SELF_HARM: Severity.URGENT,
    Breach.VIOLENCE: Severity.URGENT,
    Breach.HATE: Severity.HIGH,
    Breach.HARASSMENT: Severity.HIGH,
    Breach.PRIVATE: Severity.HIGH,
    Breach.SEXUAL: Severity.MEDIUM,
    Breach.SPAM: Severity.LOW,
    Breach.OTHER: Severity.LOW,
}

NOTES = {
    Breach.MINORS: _(
        "You may hear a child in danger, or sexual content involving children. "
        "Consider reviewing this with a colleague."
    ),
    Breach.SELF_HARM: _(
        "You may hear someone talk about suicide or self-harm. If the Space is live, every second counts."
    ),
    Breach.VIOLENCE: _("You may hear threats or calls for violence."),
    Breach.HATE: _("You may hear slurs and hate against a group."),
    Breach.HARASSMENT: _("You may hear insults and bullying."),
    Breach.PRIVATE: _("You may hear addresses, numbers or other private facts. Do not write them down."),
    Breach.SEXUAL: _("You may hear sexual content."),
    Breach.SPAM: _("Nothing disturbing was reported."),
    Breach.OTHER: _("The reports do not say what you will hear."),
}

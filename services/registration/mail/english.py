"""What students read in English."""

from __future__ import annotations

from services.registration.mail.languages import Language, Letter, Page, PageText

_CLOSING = """
SocialErasmus, an initiative of the Erasmus Student Network"""

ENGLISH = Language(
    tag="en",
    days=("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
    months=(
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ),
    moment="{day} {date} {month} {year}, {time}",
    until_same_day="{begin}–{time}",
    until="{begin} to {end}",
    zone="{moment} ({zone})",
    date_unknown="the date is not known yet",
    minimum_age="You must be at least {age} years old to take part.",
    details="""    {title}
    {when}
    {location}""",
    labels={
        "when": "When",
        "where": "Where",
        "code": "Your check-in code",
        "location_unknown": "The place is not known yet",
    },
    letters={
        Letter.CONFIRM: (
            "Confirm your place: {title}",
            """Hello,

somebody signed up with this address for

{details}

Was it you? A place is held for you until
{held_until}.
To keep it, open this link and press the button:

{link}
{minimum_age}
If it was not you, do nothing: the place becomes free by itself.
"""
            + _CLOSING,
        ),
        Letter.STILL_TO_CONFIRM: (
            "Your place waits for you: {title}",
            """Hello,

somebody signed up with this address, once more, for

{details}

A place is held for it already, until
{held_until}.
To keep it, open this link and press the button:

{link}
{minimum_age}
If it was not you, do nothing: the place becomes free by itself.
"""
            + _CLOSING,
        ),
        Letter.HAS_PLACE: (
            "You have a place: {title}",
            """Hello {given_name},

your place is confirmed.

{details}

Your check-in code, to show when you arrive: {code}
{minimum_age}
Can't you come? Give your place to somebody else here, please:

{link}
"""
            + _CLOSING,
        ),
        Letter.STILL_HAS_PLACE: (
            "You have a place already: {title}",
            """Hello,

somebody signed up with this address, once more, for

{details}

You have a confirmed place already, so nothing changed. To look at it or to give
it to somebody else, open this link:

{link}
"""
            + _CLOSING,
        ),
        Letter.CANCELLED: (
            "You gave up your place: {title}",
            """Hello,

you no longer have a place in

{details}

Thank you for making room for somebody else. You can sign up again as long as
there are places.
"""
            + _CLOSING,
        ),
        Letter.CALLED_OFF: (
            "Called off: {title}",
            """Hello,

the organisers have called off

{details}

for which a place was kept under this address. There is nothing you need to do.
"""
            + _CLOSING,
        ),
    },
    pages={
        Page.CONFIRM: PageText("Confirm your place", "A place is held for you until {held_until}.", "Yes, I will come"),
        Page.CONFIRMED: PageText(
            "You have a place",
            "It is confirmed. A mail with your check-in code, and with a link in case you can't come, is on its way.",
        ),
        Page.ALREADY_CONFIRMED: PageText(
            "You have a place", "It was confirmed already; your check-in code is in the mail that you got then."
        ),
        Page.MANAGE: PageText(
            "Your place", "Can't you come? Give your place to somebody else, please.", "Give up my place"
        ),
        Page.CANCELLED: PageText(
            "You gave up your place",
            "It is free for somebody else now. You can sign up again as long as there are places.",
        ),
        Page.CALLED_OFF: PageText("Called off", "The organisers have called off this activity."),
        Page.TOO_LATE: PageText("Your place", "The activity has begun or you are checked in: your place is yours."),
        Page.HOLD_ENDED: PageText(
            "The place is free again",
            "It was not confirmed in time. You can sign up once more as long as there are places.",
        ),
        Page.LINK_EXPIRED: PageText("This link has expired", "Its activity was a while ago."),
        Page.LINK_NOT_FOUND: PageText(
            "This link is not valid", "Perhaps it was not copied whole. Please open it from the mail itself."
        ),
    },
)

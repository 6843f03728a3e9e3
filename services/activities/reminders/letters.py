"""The mail that reminds a section of a report, in English, Italian and Spanish."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from zoneinfo import ZoneInfo

from babel.dates import format_date

from services.activities.catalogue.tables import Activity
from services.contracts import ReportMissing, ReportStage
from services.kernel.languages import best
from services.kernel.texts import one_line


@dataclass(frozen=True, slots=True)
class Letter:
    """A mail as it is sent."""

    language: str
    subject: str
    body: str


@dataclass(frozen=True, slots=True)
class _Wording:
    locale: str
    subject: str
    opening: dict[ReportStage, str]
    body: str


_WORDINGS: Final = {
    "en": _Wording(
        locale="en_GB",
        subject="What became of it? {title}",
        opening={
            ReportStage.FIRST: "your activity ended on {ended}, and no report on it was submitted yet.\n"
            "Please submit the report by {due}.",
            ReportStage.DEADLINE: "your activity ended on {ended}. Its report was due on {due} and was not submitted.\n"
            "It can still be sent, and counts as soon as it is verified.",
        },
        body="""Hello,

{opening}

Activity: {title}
          {page}
Report:   {report}
          {report}/draft
          (what is known already, as who was checked in)

What did not take place is reported as cancelled, with the reason. Without a
report the activity is not counted.

--
This mail goes to the mailbox of {mailbox}; coordinators change it.
SocialErasmus, an initiative of the Erasmus Student Network
""",
    ),
    "it": _Wording(
        locale="it",
        subject="Com'è andata? {title}",
        opening={
            ReportStage.FIRST: "la vostra attività si è conclusa il {ended} e il resoconto non è ancora stato "
            "inviato.\nPer favore inviate il resoconto entro il {due}.",
            ReportStage.DEADLINE: "la vostra attività si è conclusa il {ended}. Il resoconto era atteso per il {due} e "
            "non è\nstato inviato. Si può ancora inviare, e conta appena è verificato.",
        },
        body="""Ciao,

{opening}

Attività:  {title}
           {page}
Resoconto: {report}
           {report}/draft
           (quello che si sa già, come le presenze registrate)

Ciò che non si è svolto si segnala come annullato, con il motivo. Senza
resoconto l'attività non viene contata.

--
Questa mail arriva alla casella di {mailbox}; la cambiano i coordinatori.
SocialErasmus, un'iniziativa di Erasmus Student Network
""",
    ),
    "es": _Wording(
        locale="es",
        subject="¿Cómo ha ido? {title}",
        opening={
            ReportStage.FIRST: "vuestra actividad terminó el {ended} y su informe todavía no se ha enviado.\n"
            "Por favor, enviad el informe antes del {due}.",
            ReportStage.DEADLINE: "vuestra actividad terminó el {ended}. El informe se esperaba para el {due} y no se "
            "ha enviado.\nTodavía se puede enviar, y cuenta en cuanto se verifica.",
        },
        body="""Hola:

{opening}

Actividad: {title}
           {page}
Informe:   {report}
           {report}/draft
           (lo que ya se sabe, como las asistencias registradas)

Lo que no tuvo lugar se comunica como cancelado, con el motivo. Sin informe, la
actividad no se cuenta.

--
Este correo llega al buzón de {mailbox}; lo cambian los coordinadores.
SocialErasmus, una iniciativa de Erasmus Student Network
""",
    ),
}


def write(activity: Activity, told: ReportMissing, *, languages: Sequence[str], mailbox: str, base_url: str) -> Letter:
    """The reminder in the first of the section's languages that it is written in; days are those of the activity.

    `mailbox` is the code of the section or country that reads it.
    """
    language = best(_WORDINGS, asked=None, accept=",".join(languages), otherwise="en")
    wording = _WORDINGS[language]
    zone = ZoneInfo(activity.time_zone)
    ended = told.due_at if activity.ends_at is None else activity.ends_at
    said = {
        "title": one_line(activity.title),
        "ended": format_date(ended.astimezone(zone), "long", locale=wording.locale),
        "due": format_date(told.due_at.astimezone(zone), "long", locale=wording.locale),
        "page": f"{base_url}/activities/{activity.id}",
        "report": f"{base_url}/impact/v1/activities/{activity.id}/report",
        "mailbox": mailbox,
    }
    opening = wording.opening[told.stage].format_map(said)
    return Letter(
        language=language,
        subject=wording.subject.format_map(said),
        body=wording.body.format_map({**said, "opening": opening}),
    )

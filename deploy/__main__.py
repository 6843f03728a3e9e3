"""The entry of `python3 deploy`: written so that any Python reads it far enough to say that it is too old."""

# ruff: noqa: PLC0415, PTH100, PTH120, UP031 - what replaces these is newer than some Pythons that read this

import os
import sys

OLDEST = (3, 11)


def run():  # type: ignore[no-untyped-def]  # noqa: ANN201 - annotations are newer than some Pythons that read this
    """Refuse what cannot work here in one sentence, else hand over to the command line."""
    if sys.version_info < OLDEST:
        found = ".".join(str(part) for part in sys.version_info[:3])
        return "SocialErasmus needs Python 3.11 or newer, this is %s (%s)." % (found, sys.executable)
    if os.name != "posix":
        return "SocialErasmus runs on Linux and macOS; on Windows, run it inside WSL."
    # Python puts this folder itself first on the path, where its modules would hide those of the standard library.
    folder = os.path.dirname(os.path.abspath(__file__))
    others = [entry for entry in sys.path if os.path.abspath(entry or os.curdir) != folder]
    sys.path[:] = [os.path.dirname(folder)] + [entry for entry in others if entry != os.path.dirname(folder)]
    from deploy.command import main

    return main(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(run())  # type: ignore[no-untyped-call]

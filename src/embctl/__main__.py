"""The entry point, and the only place that exits."""

import os
import signal
import sys
from pathlib import Path

from embctl import __version__

__all__ = ["main"]


def main() -> None:
    """Run the command line and exit with its code. A polite kill ends a command as Ctrl-C does."""
    if sys.argv[1:] == ["--version"]:
        # Asked by every script that looks for embctl: answered before the command line is even defined.
        sys.stdout.write(f"embctl {__version__}\n")
        return
    from embctl.cli.app import run_command_line  # noqa: PLC0415 - see above
    from embctl.errors import Interrupted  # noqa: PLC0415 - see above

    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        # Whoever starts a program without a stream wants to hear nothing of it, not to see the program fail.
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open(mode, encoding="utf-8"))  # noqa: SIM115 - open as long as we run
    for stream in (sys.stdout, sys.stderr):
        # A path or a log line may hold what a console's own encoding lacks; JSON is UTF-8 wherever it goes.
        stream.reconfigure(encoding=None if stream.isatty() else "utf-8", errors="backslashreplace")  # type: ignore[union-attr]  # standard streams are text
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        code = run_command_line(sys.argv[1:])
    except KeyboardInterrupt:
        code = Interrupted.exit_code
    except BrokenPipeError:
        # The reader has gone (`| head`); Python would complain once more while closing standard output.
        sys.stderr.close()
        code = 1
    sys.exit(code)


if __name__ == "__main__":
    main()

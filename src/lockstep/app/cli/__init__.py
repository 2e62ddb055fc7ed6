"""The command line. One module for each command, loaded only when it is run: `lockstep --help` answers at once.

Exit codes: 0 done, 1 failed, 2 the command line made no sense, 130 interrupted. With `--json` standard output holds
exactly one object, be it the result or the error.
"""

from lockstep.app.cli.root import main as main

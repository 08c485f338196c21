"""`python -m broadcaster.roles ROLE [LANE ...]`: a role without the command line around it.

The supervisor starts its children so: each of them comes up in half the time.
"""

import sys

import psycopg
import structlog

from broadcaster.process import logs
from broadcaster.roles import Role, run
from broadcaster.settings import Settings, SettingsError
from schemas.content import Lane

if __name__ == "__main__":
    logs.configure()
    lanes = tuple(Lane(lane) for lane in sys.argv[2:])
    try:
        run(Role(sys.argv[1]), Settings.from_env(), lanes or tuple(Lane))
    except (SettingsError, psycopg.OperationalError) as error:
        structlog.get_logger(__name__).error("role_failed", error=str(error).partition("\n")[0])
        sys.exit(2)

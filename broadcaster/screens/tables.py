"""The tables of this folder. None is a view: what they hold is not in the log, or not yet."""

from broadcaster.screens.pairing import PAIRINGS_DDL
from broadcaster.screens.plays import PLAYS_DDL
from broadcaster.screens.seen import SEEN_DDL

SCREENS_DDL = PAIRINGS_DDL + SEEN_DDL + PLAYS_DDL

"""The tables of this folder. None is a view: what they hold is not in the log, or not yet."""

from broadcaster.screens.pairing import PAIRINGS_DDL

SCREENS_DDL = PAIRINGS_DDL

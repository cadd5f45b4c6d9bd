"""What an emulator knows, in a SQLite file, so that it goes on where it was killed.

Nothing outside this package knows SQLite or JSON; nothing in it knows a virtual machine.
"""

from benchhost.emulator.state.database import StateFileError
from benchhost.emulator.state.saved import SavedState

__all__ = ["SavedState", "StateFileError"]

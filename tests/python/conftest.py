"""Makes the case files and shared helpers importable, and Ctrl-C what it is on a terminal."""

import pathlib
import signal
import sys

TESTS = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(TESTS / "cases"))
sys.path.insert(0, str(TESTS / "python"))

# A shell starts what runs in its background with SIGINT ignored, which every program that a test starts would inherit.
if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

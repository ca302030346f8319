"""Makes the case files and shared helpers importable."""

import pathlib
import sys

TESTS = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(TESTS / "cases"))
sys.path.insert(0, str(TESTS / "python"))

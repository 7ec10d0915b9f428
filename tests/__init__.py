"""Tests of the whole program, most of it against the simulated cloud."""

import os
import sys

# They start the program some hundred times: what was compiled once is kept, whatever the environment says.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

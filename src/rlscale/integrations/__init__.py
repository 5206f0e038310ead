"""Decisions of the gate inside schedulers and pruners of other libraries, one module each."""

"""Trainers, schedulers and pruners that ask the gate: thin, over public names only."""

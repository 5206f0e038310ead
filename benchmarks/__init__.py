"""How good is the engine? One question a file; ``python -m benchmarks.run_all`` answers them all."""

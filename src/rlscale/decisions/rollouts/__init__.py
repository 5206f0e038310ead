"""Rollouts: how many per prompt, at which budget, on which prompts."""

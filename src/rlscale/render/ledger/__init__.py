"""What a ledger holds: lists, the history of a recipe, exports."""

"""The files that trainers write themselves: one module a format."""

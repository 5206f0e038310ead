"""What people and programs see of an answer: terminal text, JSON, CSV, DataFrame, pages, notebooks, charts."""

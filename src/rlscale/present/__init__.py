"""What people and programs see: views (plain numbers), text, JSON, charts and the HTML report."""

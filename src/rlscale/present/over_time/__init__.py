"""What runs were believed to reach as they grew, of ``fit --over-time``: text and charts."""

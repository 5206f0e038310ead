def pager(*_): return None
def slider(*_): return None

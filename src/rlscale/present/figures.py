def check_figure(p):
    pass

"""The starter detector's making: drawn and pasted pairs of frame and background, a small network,
its training and its export. Needs torch (`pip install .[train]`); nothing that runs imports it.
"""

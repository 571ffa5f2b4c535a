"""What `manage.py bench` measures here: one module each, with `measure()`."""

"""What `manage.py bench` measures of figures."""

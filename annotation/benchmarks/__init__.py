"""What `manage.py bench` measures of checking."""

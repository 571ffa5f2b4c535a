"""Private servers for `make up` and `make test`, from Python wheels. Not used by docker-compose."""

"""What other tools write of pictures that people counted: read, and refused with words. Pure."""

"""What figures, frames and boxes look like to other programs: one module a format."""

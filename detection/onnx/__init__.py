"""Object detection with ONNX files: picture in, boxes out; pure, knows nothing of the database."""

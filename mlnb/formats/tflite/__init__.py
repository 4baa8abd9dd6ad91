"""TFLite files and the flatbuffers that they are."""

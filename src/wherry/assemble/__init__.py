"""Files in, layers and images out; touches the blobs folder it is given."""

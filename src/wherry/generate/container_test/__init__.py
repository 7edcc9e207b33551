"""A Go test of the image: sources that stand in `module/`, with what wherry knows of an application put in."""

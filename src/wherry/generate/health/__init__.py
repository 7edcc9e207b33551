"""The Go package `health`: sources that stand in `module/`, with what wherry knows of an application put in."""

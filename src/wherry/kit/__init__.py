"""Small tools that know nothing of Go or images."""

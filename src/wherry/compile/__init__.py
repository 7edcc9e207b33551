"""Plan in, binaries out: runs `go build`, one for each compilation, and keeps what it linked."""

from wherry.compile.build import Workplace, compile_all
from wherry.compile.early import Job, start
from wherry.compile.hooks import run_hooks
from wherry.compile.keep import kept_directory, remember

__all__ = ["Job", "Workplace", "compile_all", "kept_directory", "remember", "run_hooks", "start"]

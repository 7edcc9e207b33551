"""The no-op index: what every input of a finished build looked like, so that an unchanged build starts nothing (decision 0004).

`check`, `state`, `outputs`, `request` and `wire` run before anything heavy is imported: standard library only. `record`,
`inputs`, `git` and `own` run after a build.
"""

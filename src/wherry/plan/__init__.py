"""Everything known in, every decision with its reason out; only `read` touches the disk, nothing else touches anything.

`make.make_plan` is the whole of it; `read` and `variables` give it the settings; each other module is one decision.
"""

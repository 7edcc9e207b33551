.PHONY: demo test check bench lock

demo:
	./demo

test:
	./test

check:
	./test --quick

bench:
	bench/run

# uv only writes the locks; pip installs them.
lock: requirements/dev.txt requirements/go.txt

requirements/dev.txt: pyproject.toml requirements/dev.in
	uv pip compile $^ --universal --python-version 3.11 --generate-hashes --custom-compile-command 'make lock' -q -o $@

requirements/go.txt: requirements/go.in
	uv pip compile $^ --universal --python-version 3.11 --generate-hashes --custom-compile-command 'make lock' -q -o $@

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
lock: requirements/dev.txt requirements/go.txt requirements/node.txt requirements/runners/package-lock.json

requirements/dev.txt: pyproject.toml requirements/dev.in
	uv pip compile $^ --universal --python-version 3.11 --generate-hashes --custom-compile-command 'make lock' -q -o $@

requirements/go.txt: requirements/go.in
	uv pip compile $^ --universal --python-version 3.11 --generate-hashes --custom-compile-command 'make lock' -q -o $@

requirements/node.txt: requirements/node.in
	uv pip compile $^ --universal --python-version 3.11 --generate-hashes --custom-compile-command 'make lock' -q -o $@

requirements/runners/package-lock.json: requirements/runners/package.json
	npm install --package-lock-only --omit-lockfile-registry-resolved --ignore-scripts --prefix requirements/runners

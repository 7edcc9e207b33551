"""Architecture in, the health probe's program out; touches nothing.

The probe is a static ELF of under 1 KB that asks one question, for images that have neither shell nor curl:

    probe PORT PATH [TIMEOUT_SECONDS]

It connects to 127.0.0.1:PORT, or to [::1]:PORT if that fails, sends `GET PATH HTTP/1.0` with `Host: localhost` and
reads the status line. Exit status 0 is healthy, 1 is everything else, wrong arguments too; Docker knows only these two
(docs.docker.com/reference/dockerfile/#healthcheck). It prints nothing.

* Healthy is HTTP/1.0 or 1.1 with a status from 200 to 399, as Kubernetes judges its httpGet probes, and as the usual
  `curl -f` does: one health entry feeds HEALTHCHECK and Kubernetes, so both must say the same. A redirect is not
  followed: whoever sends one is alive, and a wrong "unhealthy" restarts a container that works.
* TIMEOUT_SECONDS, 1 to 65535, 2 when absent, is a deadline for the whole run: a server that sends a byte now and then
  does not move it. Keep it below the engine's own timeout, or the engine kills the probe first.
* PORT is 1 to 65535. PATH starts with "/" and holds no byte from 0 to 32 (space); it may have a query. It is not
  copied, so only the kernel limits its length: 128 KiB an argument, execve(2).
* HTTP/1.0, since such a client is never sent an interim 1xx answer (RFC 9110 section 15.2): the first status line is
  the last. Headers and body are not read. No TLS.
* A seccomp profile must allow the system calls listed at the top of `amd64.s` and `arm64.s`.

The code is written in assembly and shipped assembled (`code.py`, by `scripts/assemble_probe.py`), so that no build
needs a compiler.
"""

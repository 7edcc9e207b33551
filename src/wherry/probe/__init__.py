"""Architecture in, the health probe's program out; touches nothing.

The probe is a static ELF of under 1 KB that asks one question, for images that have neither shell nor curl:

    probe PORT PATH [TIMEOUT_SECONDS]

It connects to 127.0.0.1:PORT, then to [::1]:PORT if that fails, sends `GET PATH HTTP/1.0` with `Host: localhost` and reads
the status line. Exit status 0: healthy; 1: anything else, wrong arguments too. There is no third one: Docker reserves them
(docs.docker.com/reference/dockerfile/#healthcheck). It prints nothing.

* Healthy is HTTP/1.0 or 1.1 with a status from 200 to 399, as for Kubernetes' httpGet probes and for `curl -f`, which most
  images use: one health entry feeds both, so both must judge alike. A redirect is not followed: whoever answers is alive,
  and a wrong "unhealthy" restarts a container that works. Point the entry at a route that answers for itself.
* TIMEOUT_SECONDS, 1 to 65535, 2 when absent, is a deadline for the whole run, so a server that sends a byte now and then
  cannot hold it. Keep it below the engine's own timeout, or the engine kills the probe first.
* PORT is 1 to 65535. PATH starts with "/" and has no space and no control character; it may have a query, and no length is
  too long (nothing is copied; the kernel's limit is 128 KiB an argument, execve(2)).
* HTTP/1.0, since a server must not send such a client an interim 1xx answer (RFC 9110 section 15.2): the first status line is the
  last. Headers and body are not read; no TLS.
* Under a seccomp profile it needs the system calls listed at the top of `amd64.s` and `arm64.s`.

The code is written in assembly and shipped assembled (`code.py`, by `scripts/assemble_probe.py`): no build needs a compiler.
"""

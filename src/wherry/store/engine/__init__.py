"""Container engines of this machine: Docker, podman, containerd."""

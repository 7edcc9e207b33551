# In the repository's root:
#   docker buildx bake -f services/jobs/docker-bake.hcl

# What git says: VERSION=$(git describe --tags --always --dirty)
variable "VERSION" {
  default = "dev"
}

# For this machine, into its engine.
group "default" {
  targets = ["jobs"]
}

# Credentials for private modules: NETRC="$(cat ~/.netrc)"
target "jobs" {
  context    = "."
  dockerfile = "services/jobs/Dockerfile"
  args = {
    VERSION = VERSION
  }
  tags   = ["jobs:${VERSION}"]
  secret = ["id=netrc,env=NETRC"]
  output = ["type=docker"]
}

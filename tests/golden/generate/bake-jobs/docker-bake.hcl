# In the repository's root:
#   docker buildx bake -f services/jobs/docker-bake.hcl

# VERSION=$(wherry plan --only version ./services/jobs | tr + -)
variable "VERSION" {
  default = "dev"
}

# REVISION=$(git rev-parse HEAD)
variable "REVISION" {
  default = "unknown"
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
    VERSION  = VERSION
    REVISION = REVISION
  }
  tags   = ["jobs:${VERSION}"]
  secret = ["id=netrc,env=NETRC"]
  output = ["type=docker"]
}

# In the repository's root:
#   docker buildx bake -f docker-bake.hcl

# VERSION=$(wherry plan --only version ./cmd/api | tr + -)
variable "VERSION" {
  default = "dev"
}

# REVISION=$(git rev-parse HEAD)
variable "REVISION" {
  default = "unknown"
}

# For this machine, into its engine.
group "default" {
  targets = ["shop-api"]
}

# For every platform, pushed. With SOURCE_DATE_EPOCH=$(git log -1 --format=%ct)
# the same commit gives the same files with the same times.
group "release" {
  targets = ["shop-api-release"]
}

target "shop-api" {
  context    = "."
  dockerfile = "Dockerfile"
  args = {
    VERSION  = VERSION
    REVISION = REVISION
  }
  tags   = ["registry.example.com/shop/shop-api:${VERSION}"]
  output = ["type=docker"]
}

target "shop-api-release" {
  inherits  = ["shop-api"]
  platforms = ["linux/amd64", "linux/arm64"]
  cache-from = [
    "type=registry,ref=registry.example.com/shop/shop-api:cache",
  ]
  cache-to = [
    "type=registry,ref=registry.example.com/shop/shop-api:cache,mode=max,image-manifest=true,oci-mediatypes=true",
  ]
  attest = ["type=provenance,mode=max", "type=sbom"]
  output = ["type=registry,oci-mediatypes=true,rewrite-timestamp=true"]
}

// Command late listens, and never gets well.
package main

import "example.com/wherry-apps/internal/service"

func main() {
	service.Run(service.Handler(service.Routes{"GET /healthz": service.Unavailable}))
}

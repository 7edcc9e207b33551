// Command extra listens on a second port, $EXTRA or 6060, that its image does not declare.
package main

import "example.com/wherry-apps/internal/service"

func main() {
	service.Serve(service.Listen(":"+service.Text("EXTRA", "6060")), service.Handler(nil))
	service.Run(service.Handler(nil))
}

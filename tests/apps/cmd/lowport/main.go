// Command lowport listens on a port below 1024, $LOW_PORT or 80, which needs the capability NET_BIND_SERVICE.
package main

import "example.com/wherry-apps/internal/service"

func main() {
	service.Heed()
	server := service.Serve(service.Listen(":"+service.Text("LOW_PORT", "80")), service.Handler(nil))
	service.AwaitStop()
	service.Drain(server)
}

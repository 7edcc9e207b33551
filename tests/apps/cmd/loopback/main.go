// Command loopback listens where nobody outside reaches it.
package main

import "example.com/wherry-apps/internal/service"

func main() {
	service.Heed()
	server := service.Serve(service.Listen("127.0.0.1:"+service.Text("PORT", "8080")), service.Handler(nil))
	service.AwaitStop()
	service.Drain(server)
}

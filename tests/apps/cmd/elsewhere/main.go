// Command elsewhere listens on $ELSEWHERE, or 9090, while its image declares 8080.
package main

import "example.com/wherry-apps/internal/service"

func main() {
	service.Heed()
	server := service.Serve(service.Listen(":"+service.Text("ELSEWHERE", "9090")), service.Handler(nil))
	service.AwaitStop()
	service.Drain(server)
}

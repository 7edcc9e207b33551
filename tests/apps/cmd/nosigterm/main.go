// Command nosigterm has no handler for signals: it dies at once, and with it the requests in flight.
package main

import "example.com/wherry-apps/internal/service"

func main() {
	service.Start(service.Handler(nil))
	select {}
}

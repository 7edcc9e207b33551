// Command good does everything right.
package main

import "example.com/wherry-apps/internal/service"

func main() {
	service.Run(service.Handler(nil))
}

// Package greeting is a module of its own, used through go.work.
package greeting

// Words are what the application says.
func Words() string { return "hello from two modules" }

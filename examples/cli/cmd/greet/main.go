// Command greet is a program that runs once and ends.
package main

import (
	"flag"
	"fmt"
	"time"
)

func main() {
	name := flag.String("name", "world", "whom to greet")
	zone := flag.String("zone", "Europe/Berlin", "whose time of day")
	flag.Parse()
	place, err := time.LoadLocation(*zone)
	if err != nil {
		panic(err)
	}
	fmt.Printf("good %s, %s\n", partOfDay(time.Now().In(place).Hour()), *name)
}

func partOfDay(hour int) string {
	switch {
	case hour < 12:
		return "morning"
	case hour < 18:
		return "afternoon"
	default:
		return "evening"
	}
}

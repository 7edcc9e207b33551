// Command inside is what `wherry prove` puts beside an application, in a copy of its container and never in its image: under the
// same user, root and limits it tries what nobody may try with the application itself. It says what came of it as one line of JSON.
//
//	inside look [WRITABLE...]   tries to write everywhere, and uses what its root has
//	inside memory BYTES         a child takes memory up to BYTES
//	inside pids MOST            has children until it is refused
//	inside burn                 keeps every processor busy
//
// It ends when it is killed, so that its mounts and its group can be read from outside.
//
// Time zones must come from the root: never import time/tzdata here.
package main

import (
	"encoding/json"
	"os"
	"runtime"
	"strconv"
	"time"
)

// Said is all that it can say.
type Said struct {
	Writes       *Writes       `json:"writes,omitempty"`
	Surroundings *Surroundings `json:"surroundings,omitempty"`
	Memory       *Memory       `json:"memory,omitempty"`
	Pids         *Pids         `json:"pids,omitempty"`
}

// patience ends what nobody ended.
const patience = 30 * time.Second

func main() {
	time.AfterFunc(patience, func() { os.Exit(1) })
	if len(os.Args) < 2 {
		os.Exit(2)
	}
	switch words := os.Args[2:]; os.Args[1] {
	case "look":
		say(Said{Writes: writes(words), Surroundings: surroundings()})
		time.Sleep(patience)
	case "memory":
		say(Said{Memory: memory(number(words))})
		time.Sleep(patience)
	case "take":
		take(number(words))
	case "pids":
		say(Said{Pids: pids(number(words))})
		time.Sleep(patience)
	case "burn":
		burn()
	default:
		os.Exit(2)
	}
}

func say(said Said) {
	if err := json.NewEncoder(os.Stdout).Encode(said); err != nil {
		os.Exit(1)
	}
}

func number(words []string) int {
	if len(words) == 1 {
		if value, err := strconv.Atoi(words[0]); err == nil {
			return value
		}
	}
	os.Exit(2)
	return 0
}

// burn is not held back by what GOMAXPROCS says.
func burn() {
	runtime.GOMAXPROCS(runtime.NumCPU())
	for range make([]struct{}, runtime.NumCPU()) {
		go func() {
			for {
			}
		}()
	}
	time.Sleep(patience)
}

//go:build container

package containertest

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// daemon is docker or podman, which take the same words.
type daemon struct{ program string }

func (d *daemon) build(reference string) (string, error) {
	words := []string{"build", "--file", Dockerfile, "--tag", reference, "."}
	if d.program == "podman" { // its own format has no HEALTHCHECK
		words = append([]string{"build", "--format=docker"}, words[1:]...)
	}
	_, err := say(d.program, words...)
	return reference, err
}

func (d *daemon) image(reference string) (image, error) {
	var found []struct {
		Size   int64
		Config struct {
			User         string
			Entrypoint   []string
			ExposedPorts map[string]struct{}
		}
	}
	if err := d.decode(&found, "image", "inspect", reference); err != nil {
		return image{}, err
	}
	one := image{user: found[0].Config.User, entrypoint: found[0].Config.Entrypoint, size: found[0].Size}
	for port := range found[0].Config.ExposedPorts {
		one.ports = append(one.ports, port)
	}
	return one, nil
}

func (d *daemon) forget(reference string) error {
	_, err := say(d.program, "image", "rm", "--force", reference)
	return err
}

func (d *daemon) run(reference, name string, secrets map[string]string) error {
	words := []string{
		"run", "--detach", "--name", name, "--user", User,
		"--read-only", "--tmpfs", "/tmp", "--cap-drop=ALL", "--security-opt=no-new-privileges", "--health-interval=1s",
	}
	if Port != 0 {
		words = append(words, "--publish", fmt.Sprintf("127.0.0.1::%d/tcp", Port))
	}
	if Memory != 0 {
		words = append(words, fmt.Sprintf("--memory=%d", Memory))
	}
	if Processes != 0 {
		words = append(words, fmt.Sprintf("--pids-limit=%d", Processes))
	}
	for _, folder := range Writable {
		words = append(words, "--tmpfs", folder+":mode=1777")
	}
	for secret, path := range secrets {
		words = append(words, "--volume", path+":/run/secrets/"+secret+":ro")
	}
	for _, variable := range Environment {
		words = append(words, "--env", variable)
	}
	_, err := say(d.program, append(words, reference)...)
	return err
}

func (d *daemon) state(name string) (state, error) {
	var found []struct {
		State struct {
			Running  bool
			ExitCode int
			Health   struct{ Status string }
		}
		Config     struct{ User string }
		HostConfig struct {
			ReadonlyRootfs  bool
			CapAdd, CapDrop []string
			SecurityOpt     []string
			Memory          int64
			PidsLimit       int64
		}
		EffectiveCaps []string // podman's
	}
	if err := d.decode(&found, "container", "inspect", name); err != nil {
		return state{}, err
	}
	one, host := found[0], found[0].HostConfig
	capabilities := append(host.CapAdd, one.EffectiveCaps...)
	if d.program == "docker" && !contains(host.CapDrop, "ALL") {
		capabilities = append(capabilities, "those of every container")
	}
	return state{
		running: one.State.Running, health: one.State.Health.Status, code: one.State.ExitCode, user: one.Config.User,
		readOnly: host.ReadonlyRootfs, capabilities: capabilities,
		noNewPrivileges: strings.Contains(strings.Join(host.SecurityOpt, " "), "no-new-privileges"),
		memory:          host.Memory, processes: host.PidsLimit,
	}, nil
}

func (d *daemon) address(name string) (string, error) {
	said, err := say(d.program, "port", name, fmt.Sprintf("%d/tcp", Port))
	first, _, _ := strings.Cut(said, "\n")
	return strings.TrimSpace(first), err
}

func (d *daemon) logs(name string) (string, error) {
	return both(d.program, "logs", name)
}

func (d *daemon) stop(name string, grace time.Duration) error {
	_, err := say(d.program, "stop", "--time", strconv.Itoa(int(grace.Seconds())), name)
	return err
}

func (d *daemon) remove(name string) error {
	_, err := say(d.program, "rm", "--force", "--volumes", name)
	if err != nil && strings.Contains(strings.ToLower(err.Error()), "no such container") {
		return nil // it was never made
	}
	return err
}

func (d *daemon) decode(into interface{}, words ...string) error {
	said, err := say(d.program, words...)
	if err != nil {
		return err
	}
	return json.Unmarshal([]byte(said), into)
}

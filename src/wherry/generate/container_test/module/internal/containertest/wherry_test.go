//go:build container

package containertest

import (
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// wherry needs no daemon and no Dockerfile.
type wherry struct{ folder string }

func (w *wherry) build(reference string) (string, error) {
	folder, err := os.MkdirTemp("", Name+"-test-")
	if err != nil {
		return "", err
	}
	w.folder = folder
	place := "oci:" + filepath.Join(folder, "image")
	if _, err := say("wherry", "build", "--quiet", "-C", Home, "-t", reference+":test", "-o", place, Package); err != nil {
		_ = os.RemoveAll(folder)
		return "", err
	}
	return place + ":test", nil
}

func (w *wherry) image(reference string) (image, error) {
	var found struct {
		Images []struct {
			Manifest struct {
				Layers []struct {
					Digest, MediaType string
					Size              int64
				}
			}
			Config struct {
				Config struct {
					User         string
					Entrypoint   []string
					ExposedPorts map[string]struct{}
				}
			}
		}
	}
	said, err := say("wherry", "inspect", "--json", reference)
	if err == nil {
		err = json.Unmarshal([]byte(said), &found)
	}
	if err != nil || len(found.Images) == 0 {
		return image{}, fmt.Errorf("%s: %w", reference, err)
	}
	config := found.Images[0].Config.Config
	one := image{user: config.User, entrypoint: config.Entrypoint}
	for port := range config.ExposedPorts {
		one.ports = append(one.ports, port)
	}
	for _, layer := range found.Images[0].Manifest.Layers {
		size := layer.Size
		if strings.HasPrefix(reference, "oci:") && strings.HasSuffix(layer.MediaType, "gzip") { // else only the packed size is known
			if size, err = unpacked(reference, layer.Digest); err != nil {
				return image{}, fmt.Errorf("layer %s: %w", layer.Digest, err)
			}
		}
		one.size += size
	}
	return one, nil
}

// unpacked counts the bytes of a layer of an image layout.
func unpacked(reference, digest string) (size int64, err error) {
	folder := strings.TrimPrefix(reference, "oci:")
	folder = folder[:strings.LastIndex(folder, ":")]
	blob, err := os.Open(filepath.Join(folder, "blobs", strings.Replace(digest, ":", "/", 1)))
	if err != nil {
		return 0, err
	}
	defer func() { _ = blob.Close() }()
	layer, err := gzip.NewReader(blob)
	if err != nil {
		return 0, err
	}
	return io.Copy(io.Discard, layer)
}

func (w *wherry) forget(string) error { return os.RemoveAll(w.folder) }

func (w *wherry) run(reference, name string, secrets map[string]string) error {
	words := []string{"run", "--quiet", "--detach", "--name", name}
	if Port != 0 {
		words = append(words, "--publish", fmt.Sprintf("127.0.0.1:0:%d", Port))
	}
	if Memory != 0 {
		words = append(words, "--memory", strconv.Itoa(Memory))
	}
	if Processes != 0 {
		words = append(words, "--pids", strconv.Itoa(Processes))
	}
	for _, folder := range Writable {
		words = append(words, "--tmpfs", folder)
	}
	for secret, path := range secrets {
		words = append(words, "--secret", secret+"="+path)
	}
	for _, variable := range Environment {
		words = append(words, "--env", variable)
	}
	_, err := say("wherry", append(words, reference)...)
	return err
}

type running struct {
	State     string
	Health    string
	Addresses []string // 127.0.0.1:35629->NUMBER/tcp
	End       struct{ Code int }
	Container struct {
		User            struct{ UID, GID int }
		ReadOnly        bool `json:"read_only"`
		Capabilities    []string
		NoNewPrivileges bool `json:"no_new_privileges"`
		Limits          struct{ Memory, Pids int64 }
	}
}

func (w *wherry) inspect(name string) (running, error) {
	var found running
	said, err := say("wherry", "inspect", "--json", name)
	if err == nil {
		err = json.Unmarshal([]byte(said), &found)
	}
	return found, err
}

func (w *wherry) state(name string) (state, error) {
	found, err := w.inspect(name)
	one := found.Container
	return state{
		running: found.State == "running", health: found.Health, code: found.End.Code,
		user:     fmt.Sprintf("%d:%d", one.User.UID, one.User.GID),
		readOnly: one.ReadOnly, capabilities: one.Capabilities, noNewPrivileges: one.NoNewPrivileges,
		memory: one.Limits.Memory, processes: one.Limits.Pids,
	}, err
}

func (w *wherry) address(name string) (string, error) {
	found, err := w.inspect(name)
	for _, one := range found.Addresses {
		if before, inner, ok := strings.Cut(one, "->"); ok && inner == fmt.Sprintf("%d/tcp", Port) {
			return before, nil
		}
	}
	return "", err
}

func (w *wherry) logs(name string) (string, error) {
	return both("wherry", "logs", name)
}

func (w *wherry) stop(name string, grace time.Duration) error {
	_, err := say("wherry", "stop", "--time", strconv.Itoa(int(grace.Seconds())), name)
	return err
}

func (w *wherry) remove(name string) error {
	_, err := say("wherry", "rm", "--force", name)
	if err != nil && strings.Contains(err.Error(), "no-such-container") {
		return nil // it was never made
	}
	return err
}

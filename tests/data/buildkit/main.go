// Reads questions, a JSON object a line, and answers each as BuildKit's own parser and Docker's own matcher of ignored files do.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/client/llb/sourceresolver"
	"github.com/moby/buildkit/frontend/dockerfile/dockerfile2llb"
	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/linter"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
	"github.com/moby/buildkit/frontend/dockerfile/shell"
	"github.com/moby/buildkit/frontend/dockerui"
	"github.com/moby/buildkit/solver/pb"
	"github.com/moby/patternmatcher"
	"github.com/moby/patternmatcher/ignorefile"
	"github.com/opencontainers/go-digest"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
)

type question struct {
	Dockerfile string
	Checked    string
	Ignore     string
	Paths      []string
}

type answer struct {
	Error    string    `json:"error"`
	Warnings []string  `json:"warnings"`
	Commands []command `json:"commands"`
	Hidden   []string  `json:"hidden"`
}

// One instruction, variables expanded where Docker expands them; none has a value.
type command struct {
	Name   string              `json:"name"`
	Words  []string            `json:"words"`
	Pairs  [][2]string         `json:"pairs"`
	Mounts []map[string]string `json:"mounts"`
}

func main() {
	in := bufio.NewScanner(os.Stdin)
	in.Buffer(nil, 16<<20)
	out := json.NewEncoder(os.Stdout)
	for in.Scan() {
		var asked question
		if err := json.Unmarshal(in.Bytes(), &asked); err != nil {
			panic(err)
		}
		var said answer
		var err error
		switch {
		case asked.Dockerfile != "":
			err = read(asked.Dockerfile, &said)
		case asked.Checked != "":
			err = check([]byte(asked.Checked), &said)
		default:
			said.Hidden, err = hidden(asked)
		}
		if err != nil {
			said.Error = err.Error()
		}
		if err := out.Encode(said); err != nil {
			panic(err)
		}
	}
}

// An image that is known of no base: the checks need its environment only.
type anyBase struct{}

func (anyBase) ResolveImageConfig(_ context.Context, name string, _ sourceresolver.Opt) (string, digest.Digest, []byte, error) {
	return name, "", []byte(`{"architecture":"amd64","os":"linux","config":{"Env":["PATH=/bin"]},"rootfs":{"type":"layers"}}`), nil
}

// What `docker build --check` says.
func check(text []byte, said *answer) error {
	ctx := context.Background()
	definition, err := llb.Scratch().File(llb.Mkfile("Dockerfile", 0o644, text)).Marshal(ctx)
	if err != nil {
		return err
	}
	source := llb.NewSourceMap(nil, "Dockerfile", "Dockerfile", text)
	source.Definition = definition
	platform := ocispecs.Platform{OS: "linux", Architecture: "amd64"}
	capabilities := pb.Caps.CapSet(pb.Caps.All())
	found, err := dockerfile2llb.DockerfileLint(ctx, text, dockerfile2llb.ConvertOpt{
		Config:         dockerui.Config{BuildPlatforms: []ocispecs.Platform{platform}},
		TargetPlatform: &platform,
		MetaResolver:   anyBase{},
		SourceMap:      source,
		LLBCaps:        &capabilities,
	})
	if err != nil {
		return err
	}
	for _, warning := range found.Warnings {
		said.Warnings = append(said.Warnings, warning.RuleName+": "+warning.Detail)
	}
	if found.Error != nil {
		return errors.New(found.Error.Message)
	}
	return nil
}

func hidden(asked question) ([]string, error) {
	patterns, err := ignorefile.ReadAll(strings.NewReader(asked.Ignore))
	if err != nil {
		return nil, err
	}
	matcher, err := patternmatcher.New(patterns)
	if err != nil {
		return nil, err
	}
	found := []string{}
	for _, path := range asked.Paths {
		matched, err := matcher.MatchesOrParentMatches(path)
		if err != nil {
			return nil, err
		}
		if matched {
			found = append(found, path)
		}
	}
	return found, nil
}

func read(text string, said *answer) error {
	parsed, err := parser.Parse(strings.NewReader(text))
	if err != nil {
		return err
	}
	for _, warning := range parsed.Warnings {
		said.Warnings = append(said.Warnings, warning.Short)
	}
	lint := linter.New(&linter.Config{Warn: func(rule, _, _, message string, _ []parser.Range) {
		said.Warnings = append(said.Warnings, rule+": "+message)
	}})
	stages, arguments, err := instructions.Parse(parsed.AST, lint)
	if err != nil {
		return err
	}
	for _, argument := range arguments {
		if err := add(said, &argument); err != nil {
			return err
		}
	}
	for _, stage := range stages {
		said.Commands = append(said.Commands, command{Name: "FROM", Words: []string{stage.BaseName, stage.Name, stage.Platform}})
		for _, one := range stage.Commands {
			if err := add(said, one); err != nil {
				return err
			}
		}
	}
	return nil
}

func add(said *answer, one instructions.Command) error {
	lex := shell.NewLex('\\')
	expander := func(word string) (string, error) {
		result, _, err := lex.ProcessWord(word, shell.EnvsFromSlice(nil))
		return result, err
	}
	if expanded, ok := one.(instructions.SupportsSingleWordExpansion); ok {
		if err := expanded.Expand(expander); err != nil {
			return err
		}
	}
	made := command{Name: strings.ToUpper(one.Name())}
	switch kind := one.(type) {
	case *instructions.EnvCommand:
		made.Pairs = pairs(kind.Env)
	case *instructions.LabelCommand:
		made.Pairs = pairs(kind.Labels)
	case *instructions.ArgCommand:
		for _, argument := range kind.Args {
			value := ""
			if argument.Value != nil {
				value = *argument.Value
			}
			made.Pairs = append(made.Pairs, [2]string{argument.Key, value})
		}
	case *instructions.WorkdirCommand:
		made.Words = []string{kind.Path}
	case *instructions.UserCommand:
		made.Words = []string{kind.User}
	case *instructions.StopSignalCommand:
		made.Words = []string{kind.Signal}
	case *instructions.ExposeCommand:
		made.Words = kind.Ports
	case *instructions.VolumeCommand:
		made.Words = kind.Volumes
	case *instructions.CopyCommand:
		made.Words = append(append([]string{}, kind.SourcePaths...), kind.DestPath)
		made.Pairs = [][2]string{{"from", kind.From}, {"chmod", kind.Chmod}, {"chown", kind.Chown}}
	case *instructions.EntrypointCommand:
		made.Words = kind.CmdLine
	case *instructions.CmdCommand:
		made.Words = kind.CmdLine
	case *instructions.HealthCheckCommand:
		made.Words = kind.Health.Test
		made.Pairs = [][2]string{
			{"interval", kind.Health.Interval.String()}, {"timeout", kind.Health.Timeout.String()},
			{"start-period", kind.Health.StartPeriod.String()}, {"retries", fmt.Sprint(kind.Health.Retries)},
		}
	case *instructions.RunCommand:
		made.Words = kind.CmdLine
		for _, mount := range instructions.GetMounts(kind) {
			made.Mounts = append(made.Mounts, map[string]string{
				"type": string(mount.Type), "source": mount.Source, "target": mount.Target, "id": mount.CacheID,
				"readonly": fmt.Sprint(mount.ReadOnly),
			})
		}
	default:
		return fmt.Errorf("nobody wrote down how to show %s", one.Name())
	}
	said.Commands = append(said.Commands, made)
	return nil
}

func pairs(given instructions.KeyValuePairs) [][2]string {
	made := [][2]string{}
	for _, one := range given {
		made = append(made, [2]string{one.Key, one.Value})
	}
	return made
}

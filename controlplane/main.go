// Command controlplane holds the real Kubernetes control plane in one binary.
//
// It picks its component by the name it is called with (links named etcd, kube-apiserver, … lie beside it)
// or, under any other name, by its first argument. benchhost.local builds, starts and stops it.
package main

import (
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strings"
)

// component runs one program of the control plane to its end and returns its exit code.
// args[0] is the component's name, as in os.Args.
type component func(args []string) int

func main() {
	args, run := pick(os.Args)
	if run == nil {
		fmt.Fprintf(os.Stderr, "controlplane: say which component to run: %s\n", strings.Join(names(), ", "))
		os.Exit(2)
	}
	// The components parse os.Args by themselves in places (kubectl's plugins, etcd's subcommands).
	os.Args = args
	os.Exit(run(args))
}

// pick finds the component that argv asks for, and the arguments as that component must see them.
func pick(argv []string) ([]string, component) {
	if len(argv) == 0 {
		return nil, nil
	}
	name := filepath.Base(argv[0])
	if run, ok := components[name]; ok {
		return argv, run
	}
	if len(argv) < 2 {
		return nil, nil
	}
	return argv[1:], components[argv[1]]
}

func names() []string {
	known := make([]string, 0, len(components))
	for name := range components {
		known = append(known, name)
	}
	sort.Strings(known)
	return known
}

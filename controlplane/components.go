package main

import (
	_ "time/tzdata" // CronJob time zones, as in the real kube-controller-manager

	"github.com/spf13/cobra"
	"go.etcd.io/etcd/server/v3/etcdmain"
	_ "k8s.io/client-go/plugin/pkg/client/auth" // the auth plugins of the real kubectl
	"k8s.io/component-base/cli"
	"k8s.io/component-base/logs"
	_ "k8s.io/component-base/logs/json/register"          // --logging-format=json
	_ "k8s.io/component-base/metrics/prometheus/clientgo" // the client metrics of the real components
	_ "k8s.io/component-base/metrics/prometheus/version"  // the version metric of the real components
	kubectl "k8s.io/kubectl/pkg/cmd"
	kubectlutil "k8s.io/kubectl/pkg/cmd/util"
	apiserver "k8s.io/kubernetes/cmd/kube-apiserver/app"
	controllermanager "k8s.io/kubernetes/cmd/kube-controller-manager/app"
)

// components are the programs in this binary, each under the name of its upstream executable.
var components = map[string]component{
	"etcd":                    runEtcd,
	"kube-apiserver":          runCommand(apiserver.NewAPIServerCommand),
	"kube-controller-manager": runCommand(controllermanager.NewControllerManagerCommand),
	"kubectl":                 runKubectl,
}

// runCommand runs a Kubernetes component as its own main does. The command is only made when it is asked for:
// making one registers flags and feature gates for the whole process.
func runCommand(newCommand func() *cobra.Command) component {
	return func([]string) int {
		return cli.Run(newCommand())
	}
}

// runEtcd runs the real etcd main, so that every etcd flag works. It leaves by os.Exit when it fails.
func runEtcd(args []string) int {
	etcdmain.Main(args)
	return 0
}

// runKubectl prints an error as kubectl does, in one line and with its exit code.
func runKubectl(args []string) int {
	// Before the command exists: plugins and .kuberc are read, and logged about, while it is made.
	// A -v that is no number is reported when kubectl parses its flags.
	_, _ = logs.GlogSetter(kubectl.GetLogVerbosity(args))
	if err := cli.RunNoErrOutput(kubectl.NewDefaultKubectlCommand()); err != nil {
		kubectlutil.CheckErr(err)
	}
	return 0
}

// The programs of a Kubernetes control plane in one binary, as its first argument names them. etcd and kube-apiserver are the released
// commands with their real flags; of kube-controller-manager there are the controllers that a rollout needs.
package main

import (
	"fmt"
	"os"

	"go.etcd.io/etcd/server/v3/etcdmain"
	"k8s.io/component-base/cli"
	apiserver "k8s.io/kubernetes/cmd/kube-apiserver/app"
)

func main() {
	if len(os.Args) < 2 {
		usage()
	}
	program, args := os.Args[1], os.Args[1:]
	switch program {
	case "etcd":
		etcdmain.Main(args)
	case "kube-apiserver":
		os.Args = args
		os.Exit(cli.Run(apiserver.NewAPIServerCommand()))
	case "controllers":
		if err := controllers(args[1:]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	default:
		usage()
	}
}

func usage() {
	fmt.Fprintln(os.Stderr, "usage: control-plane etcd|kube-apiserver|controllers [FLAG...]")
	os.Exit(2)
}

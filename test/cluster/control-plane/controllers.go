package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	v1 "k8s.io/api/core/v1"
	"k8s.io/client-go/discovery/cached/memory"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/metadata/metadatainformer"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/restmapper"
	"k8s.io/client-go/scale"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/controller-manager/pkg/informerfactory"
	"k8s.io/klog/v2"
	"k8s.io/kubernetes/pkg/controller/certificates/rootcacertpublisher"
	"k8s.io/kubernetes/pkg/controller/deployment"
	"k8s.io/kubernetes/pkg/controller/disruption"
	"k8s.io/kubernetes/pkg/controller/endpointslice"
	"k8s.io/kubernetes/pkg/controller/garbagecollector"
	"k8s.io/kubernetes/pkg/controller/namespace"
	"k8s.io/kubernetes/pkg/controller/replicaset"
	"k8s.io/kubernetes/pkg/controller/serviceaccount"
	"k8s.io/kubernetes/pkg/controller/statefulset"
)

// Defaults of kube-controller-manager.
const (
	resync                 = 12 * time.Hour
	workers                = 5
	endpointsPerSlice      = 100
	endpointUpdatesBatched = 0
	namespaceWorkers       = 10
	namespaceResync        = 5 * time.Minute
	collectorWorkers       = 20
	collectorInitialSync   = 30 * time.Second
	collectorSync          = 30 * time.Second
	qps                    = 20
	burst                  = 30
)

// controllers runs those controllers of kube-controller-manager that a rollout needs, wired as its app package does it. The command
// itself links all others too: with them the scheduler, cAdvisor and every volume plugin, a fifth of all that is compiled.
func controllers(args []string) error {
	flags := flag.NewFlagSet("controllers", flag.ExitOnError)
	kubeconfig := flags.String("kubeconfig", "", "how to reach the API server")
	rootCA := flags.String("root-ca-file", "", "what is published as kube-root-ca.crt")
	if err := flags.Parse(args); err != nil {
		return err
	}
	config, err := clientcmd.BuildConfigFromFlags("", *kubeconfig)
	if err != nil {
		return err
	}
	ca, err := os.ReadFile(*rootCA)
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	manager, err := newManager(config)
	if err != nil {
		return err
	}
	if err := manager.start(ctx, ca); err != nil {
		return err
	}
	<-ctx.Done()
	return nil
}

type manager struct {
	config   *rest.Config
	metadata metadata.Interface
	mapper   *restmapper.DeferredDiscoveryRESTMapper
	shared   informers.SharedInformerFactory
	objects  informerfactory.InformerFactory
	started  chan struct{}
}

func newManager(config *rest.Config) (*manager, error) {
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return nil, err
	}
	meta, err := metadata.NewForConfig(config)
	if err != nil {
		return nil, err
	}
	shared := informers.NewSharedInformerFactory(client, resync)
	return &manager{
		config:   config,
		metadata: meta,
		mapper:   restmapper.NewDeferredDiscoveryRESTMapper(memory.NewMemCacheClient(client.Discovery())),
		shared:   shared,
		objects:  informerfactory.NewInformerFactory(shared, metadatainformer.NewSharedInformerFactory(meta, resync)),
		started:  make(chan struct{}),
	}, nil
}

// client is one for each controller, since each has a rate of its own.
func (m *manager) client(name string) *kubernetes.Clientset {
	return m.clientAtRate(name, qps, burst)
}

func (m *manager) clientAtRate(name string, qps float32, burst int) *kubernetes.Clientset {
	config := rest.AddUserAgent(rest.CopyConfig(m.config), name)
	config.QPS, config.Burst = qps, burst
	return kubernetes.NewForConfigOrDie(config)
}

func (m *manager) start(ctx context.Context, ca []byte) error {
	runs := []func(context.Context) error{
		m.deployments, m.replicaSets, m.statefulSets, m.endpointSlices, m.disruption, m.garbage, m.namespaces, m.serviceAccounts,
		func(ctx context.Context) error { return m.rootCA(ctx, ca) },
	}
	for _, run := range runs {
		if err := run(ctx); err != nil {
			return err
		}
	}
	m.objects.Start(ctx.Done())
	close(m.started)
	klog.FromContext(ctx).Info("controllers run", "count", len(runs))
	return nil
}

func (m *manager) deployments(ctx context.Context) error {
	apps := m.shared.Apps().V1()
	controller, err := deployment.NewDeploymentController(
		ctx, apps.Deployments(), apps.ReplicaSets(), m.shared.Core().V1().Pods(), m.client("deployment-controller"))
	if err != nil {
		return fmt.Errorf("deployments: %w", err)
	}
	go controller.Run(ctx, workers)
	return nil
}

func (m *manager) replicaSets(ctx context.Context) error {
	sets, pods := m.shared.Apps().V1().ReplicaSets(), m.shared.Core().V1().Pods()
	controller := replicaset.NewReplicaSetController(ctx, sets, pods, m.client("replicaset-controller"), replicaset.BurstReplicas)
	go controller.Run(ctx, workers)
	return nil
}

func (m *manager) statefulSets(ctx context.Context) error {
	apps, core := m.shared.Apps().V1(), m.shared.Core().V1()
	controller := statefulset.NewStatefulSetController(
		ctx, core.Pods(), apps.StatefulSets(), core.PersistentVolumeClaims(), apps.ControllerRevisions(),
		m.client("statefulset-controller"))
	go controller.Run(ctx, workers)
	return nil
}

func (m *manager) endpointSlices(ctx context.Context) error {
	core, slices := m.shared.Core().V1(), m.shared.Discovery().V1().EndpointSlices()
	controller := endpointslice.NewController(
		ctx, core.Pods(), core.Services(), core.Nodes(), slices, endpointsPerSlice,
		m.client("endpointslice-controller"), endpointUpdatesBatched)
	go controller.Run(ctx, workers)
	return nil
}

func (m *manager) disruption(ctx context.Context) error {
	client := m.client("disruption-controller")
	resolver := scale.NewDiscoveryScaleKindResolver(client.Discovery())
	scales, err := scale.NewForConfig(m.config, m.mapper, dynamic.LegacyAPIPathResolverFunc, resolver)
	if err != nil {
		return fmt.Errorf("disruption: %w", err)
	}
	apps, core := m.shared.Apps().V1(), m.shared.Core().V1()
	controller := disruption.NewDisruptionController(
		ctx, core.Pods(), m.shared.Policy().V1().PodDisruptionBudgets(), core.ReplicationControllers(), apps.ReplicaSets(),
		apps.Deployments(), apps.StatefulSets(), client, m.mapper, scales, client.Discovery())
	go controller.Run(ctx, 1)
	return nil
}

func (m *manager) garbage(ctx context.Context) error {
	client := m.client("generic-garbage-collector")
	graph := garbagecollector.NewDependencyGraphBuilder(
		ctx, m.metadata, m.mapper, garbagecollector.DefaultIgnoredResources(), m.objects, m.started)
	collector, err := garbagecollector.NewComposedGarbageCollector(ctx, client, m.metadata, m.mapper, graph)
	if err != nil {
		return fmt.Errorf("garbage collector: %w", err)
	}
	go collector.Run(ctx, collectorWorkers, collectorInitialSync)
	go collector.Sync(ctx, client.Discovery(), collectorSync)
	return nil
}

func (m *manager) namespaces(ctx context.Context) error {
	client := m.clientAtRate("namespace-controller", qps*20, burst*100)
	controller := namespace.NewNamespaceController(
		ctx, client, m.metadata, client.Discovery().ServerPreferredNamespacedResources, m.shared.Core().V1().Namespaces(),
		namespaceResync, v1.FinalizerKubernetes)
	go controller.Run(ctx, namespaceWorkers)
	return nil
}

func (m *manager) serviceAccounts(ctx context.Context) error {
	core := m.shared.Core().V1()
	controller, err := serviceaccount.NewServiceAccountsController(
		klog.FromContext(ctx), core.ServiceAccounts(), core.Namespaces(), m.client("service-account-controller"),
		serviceaccount.DefaultServiceAccountsControllerOptions())
	if err != nil {
		return fmt.Errorf("service accounts: %w", err)
	}
	go controller.Run(ctx, 1)
	return nil
}

func (m *manager) rootCA(ctx context.Context, ca []byte) error {
	core := m.shared.Core().V1()
	controller, err := rootcacertpublisher.NewPublisher(
		core.ConfigMaps(), core.Namespaces(), m.client("root-ca-cert-publisher"), ca)
	if err != nil {
		return fmt.Errorf("root CA: %w", err)
	}
	go controller.Run(ctx, 1)
	return nil
}

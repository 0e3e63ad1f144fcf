package sfu

import (
	"fmt"

	"github.com/livekit/livekit-server/pkg/config"
	"github.com/livekit/livekit-server/pkg/routing"
	"github.com/livekit/livekit-server/pkg/service"
	"github.com/livekit/livekit-server/pkg/telemetry"
	"github.com/livekit/livekit-server/pkg/telemetry/prometheus"
	"github.com/livekit/protocol/auth"
	"github.com/livekit/protocol/livekit"
	"github.com/livekit/protocol/logger"
	redisLiveKit "github.com/livekit/protocol/redis"
	"github.com/livekit/protocol/rpc"
	"github.com/livekit/protocol/utils"
	"github.com/livekit/protocol/webhook"
	"github.com/livekit/psrpc"
	"github.com/redis/go-redis/v9"
)

// parts are the pieces of LiveKit that a server runs. They are put together once and never exchanged.
type parts struct {
	conf   *config.Config
	redis  redis.UniversalClient // nil on a single node
	keys   auth.KeyProvider
	router routing.Router
	signal *service.SignalServer
	rooms  *service.RoomManager
	admin  *service.RoomService
	rtc    *service.RTCService
}

// assembly holds what several parts need while they are put together.
type assembly struct {
	conf      *config.Config
	node      routing.LocalNode
	redis     redis.UniversalClient
	bus       psrpc.MessageBus
	clients   rpc.ClientParams
	store     service.ObjectStore
	agents    service.AgentStore
	router    routing.Router
	allocator service.RoomAllocator
	telemetry telemetry.TelemetryService
}

// assemble builds LiveKit from its exported constructors. Opening the media ports happens here.
//
// LiveKit's own program does the same in generated code; this leaves out what huilu does not use and passes our notifier,
// which makes what it calls webhooks plain Go calls. The order follows from who needs whom.
func assemble(conf *config.Config, notifier webhook.QueuedNotifier) (*parts, error) {
	a, err := foundation(conf)
	if err != nil {
		return nil, err
	}
	keys := auth.NewFileBasedKeyProviderFromMap(conf.Keys)
	a.telemetry = telemetry.NewTelemetryService(notifier, telemetry.NewAnalyticsService(conf, a.node))
	rooms, err := service.NewLocalRoomManager(conf, a.store, a.node, a.router, a.allocator, a.telemetry, nil, a.agents, nil,
		utils.NewDefaultTimedVersionGenerator(), service.NewTURNAuthHandler(keys), a.bus, nil)
	if err != nil {
		return nil, fmt.Errorf("room manager: %w", err)
	}
	signal, err := service.NewDefaultSignalServer(a.node, a.bus, conf.SignalRelay, a.router, rooms)
	if err != nil {
		return nil, fmt.Errorf("signal server: %w", err)
	}
	admin, err := roomService(a)
	if err != nil {
		return nil, err
	}
	return &parts{
		conf: conf, redis: a.redis, keys: keys, router: a.router, signal: signal, rooms: rooms, admin: admin,
		rtc: service.NewRTCService(conf, a.allocator, a.router, a.telemetry),
	}, nil
}

// foundation builds what all other parts stand on: node, message bus, store, router, allocator.
func foundation(conf *config.Config) (*assembly, error) {
	a := &assembly{conf: conf}
	node, err := routing.NewLocalNode(conf)
	if err != nil {
		return nil, fmt.Errorf("node: %w", err)
	}
	a.node = node
	// Registers LiveKit's metrics with the default registry, once per process.
	if err := prometheus.Init(string(node.NodeID()), livekit.NodeType_SERVER); err != nil {
		return nil, fmt.Errorf("metrics: %w", err)
	}
	if err := a.connect(); err != nil {
		return nil, err
	}
	a.clients = rpc.NewClientParams(conf.PSRPC, a.bus, logger.GetLogger(), rpc.PSRPCMetricsObserver{})
	signal, err := routing.NewSignalClient(node.NodeID(), a.bus, conf.SignalRelay)
	if err != nil {
		return nil, fmt.Errorf("signal client: %w", err)
	}
	manager, err := routing.NewRoomManagerClient(a.clients, conf.Room)
	if err != nil {
		return nil, fmt.Errorf("room manager client: %w", err)
	}
	keepalive, err := rpc.NewKeepalivePubSub(a.clients)
	if err != nil {
		return nil, fmt.Errorf("keepalive: %w", err)
	}
	a.router = routing.CreateRouter(a.redis, node, signal, manager, keepalive, conf.NodeStats)
	if a.allocator, err = service.NewRoomAllocator(conf, a.router, a.store); err != nil {
		return nil, fmt.Errorf("room allocator: %w", err)
	}
	return a, nil
}

// connect chooses between one node, where everything stays in memory, and several that meet over Redis.
func (a *assembly) connect() error {
	if !a.conf.Redis.IsConfigured() {
		store := service.NewLocalStore()
		a.bus, a.store, a.agents = psrpc.NewLocalMessageBus(), store, store
		return nil
	}
	client, err := redisLiveKit.GetRedisClient(&a.conf.Redis)
	if err != nil {
		return fmt.Errorf("redis: %w", err)
	}
	store := service.NewRedisStore(client)
	a.redis, a.bus, a.store, a.agents = client, psrpc.NewRedisMessageBus(client), store, store
	return nil
}

// roomService builds the admin calls. They are made in process only.
func roomService(a *assembly) (*service.RoomService, error) {
	rooms, err := rpc.NewTypedRoomClient(a.clients)
	if err != nil {
		return nil, fmt.Errorf("room client: %w", err)
	}
	participants, err := rpc.NewTypedParticipantClient(a.clients)
	if err != nil {
		return nil, fmt.Errorf("participant client: %w", err)
	}
	s, ok := a.store.(service.ServiceStore)
	if !ok {
		return nil, fmt.Errorf("room service: store %T lists no rooms", a.store)
	}
	return service.NewRoomService(a.conf.Limit, a.conf.API, a.router, a.allocator, s, nil, rpc.NewTopicFormatter(), rooms, participants)
}

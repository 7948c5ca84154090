package example.broker;

import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

import org.apache.activemq.artemis.core.config.ClusterConnectionConfiguration;
import org.apache.activemq.artemis.core.config.Configuration;
import org.apache.activemq.artemis.core.config.impl.ConfigurationImpl;
import org.apache.activemq.artemis.core.remoting.impl.netty.NettyAcceptor;
import org.apache.activemq.artemis.core.server.ActiveMQServer;
import org.apache.activemq.artemis.core.server.ActiveMQServers;
import org.apache.activemq.artemis.core.server.cluster.impl.MessageLoadBalancingType;
import org.apache.activemq.artemis.core.settings.impl.AddressSettings;

/**
 * One Artemis broker that speaks STOMP, over WebSocket too, without users, and with its journal in memory.
 *
 * Usage: name=NAME host=ADDRESS port=PORT [prefixes=false] [peers=HOST:PORT,…]
 *
 * Port 0 is one that the system chooses. With peers, which may come and go, it is a node of a cluster. Prints
 * {"port":…} when it serves. Ends at SIGTERM, and when its stdin does.
 */
public class Main {

	/** As its documentation says them, so that a queue is a queue and a topic a topic by name. */
	private static final String PREFIXES = ";anycastPrefix=/queue/;multicastPrefix=/topic/";

	/** How often a node looks for a peer that is not there, in milliseconds. */
	private static final long RETRY_MS = 50;

	public static void main(String[] arguments) throws Exception {
		System.setProperty("org.slf4j.simpleLogger.defaultLogLevel", "error");
		Map<String, String> options = Arrays.stream(arguments).map(argument -> argument.split("=", 2))
				.collect(Collectors.toMap(pair -> pair[0], pair -> pair[1]));
		ActiveMQServer server = ActiveMQServers.newActiveMQServer(configuration(options), false);
		server.start();
		Runtime.getRuntime().addShutdownHook(new Thread(() -> stop(server)));
		var acceptor = (NettyAcceptor) server.getRemotingService().getAcceptor("clients");
		System.out.println("{\"port\":" + acceptor.getActualPort() + "}");
		while (System.in.read() != -1) {
			// Nothing is said to it.
		}
		System.exit(0);
	}

	private static Configuration configuration(Map<String, String> options) throws Exception {
		String address = "tcp://" + options.get("host") + ":" + options.get("port");
		String prefixes = options.getOrDefault("prefixes", "true").equals("true") ? PREFIXES : "";
		var configuration = new ConfigurationImpl().setName(options.get("name")).setPersistenceEnabled(false)
				.setSecurityEnabled(false).setJMXManagementEnabled(false)
				.addAcceptorConfiguration("clients", address + "?protocols=CORE,STOMP" + prefixes)
				.addAddressSetting("#", new AddressSettings().setRedistributionDelay(0));
		if (options.containsKey("peers")) {
			configuration.addConnectorConfiguration("self", address);
			configuration.addClusterConfiguration(cluster(configuration, List.of(options.get("peers").split(","))));
		}
		return configuration;
	}

	private static ClusterConnectionConfiguration cluster(Configuration configuration, List<String> peers)
			throws Exception {
		for (String peer : peers) {
			configuration.addConnectorConfiguration(peer, "tcp://" + peer);
		}
		return new ClusterConnectionConfiguration().setName("cluster").setConnectorName("self")
				.setStaticConnectors(peers).setMessageLoadBalancingType(MessageLoadBalancingType.ON_DEMAND)
				.setRetryInterval(RETRY_MS).setMaxRetryInterval(RETRY_MS);
	}

	private static void stop(ActiveMQServer server) {
		try {
			server.stop();
		}
		catch (Exception failure) {
			failure.printStackTrace();
		}
	}

}

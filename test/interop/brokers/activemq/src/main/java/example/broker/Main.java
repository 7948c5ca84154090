package example.broker;

import java.util.Arrays;
import java.util.Map;
import java.util.stream.Collectors;

import org.apache.activemq.broker.BrokerService;
import org.apache.activemq.broker.TransportConnector;
import org.apache.activemq.broker.region.policy.PolicyEntry;
import org.apache.activemq.broker.region.policy.PolicyMap;
import org.apache.activemq.network.ConditionalNetworkBridgeFilterFactory;
import org.apache.activemq.network.NetworkConnector;

/**
 * One ActiveMQ (Classic) broker that speaks STOMP over WebSocket, without users, and with its messages in memory.
 *
 * Usage: name=NAME host=ADDRESS port=PORT [network=PORT peers=HOST:PORT,…]
 *
 * Port 0 is one that the system chooses. With peers, which may come and go, it is a broker of a network; `network` is its own port
 * for the others. Prints {"port":…} when it serves. Ends at SIGTERM, and when its stdin does.
 */
public class Main {

	/** How often a broker looks for a peer that is not there. */
	private static final String RETRY = "useExponentialBackOff=false&initialReconnectDelay=50&maxReconnectDelay=50";

	public static void main(String[] arguments) throws Exception {
		System.setProperty("org.slf4j.simpleLogger.defaultLogLevel", "error");
		Map<String, String> options = Arrays.stream(arguments).map(argument -> argument.split("=", 2))
				.collect(Collectors.toMap(pair -> pair[0], pair -> pair[1]));
		BrokerService broker = broker(options.get("name"));
		TransportConnector clients = broker.addConnector("ws://" + options.get("host") + ":" + options.get("port"));
		if (options.containsKey("peers")) {
			joinNetwork(broker, options);
		}
		broker.start();
		System.out.println("{\"port\":" + clients.getConnectUri().getPort() + "}");
		while (System.in.read() != -1) {
			// Nothing is said to it.
		}
		System.exit(0);
	}

	/** Its shutdown hook, which it has by default, stops it in order. */
	private static BrokerService broker(String name) {
		var broker = new BrokerService();
		broker.setBrokerName(name);
		broker.setPersistent(false);
		broker.setUseJmx(false);
		broker.setSystemExitOnShutdown(false);
		broker.setDestinationPolicy(policy());
		return broker;
	}

	/** A message that the consumers have left behind at one broker may follow them to where it has been before. */
	private static PolicyMap policy() {
		var filter = new ConditionalNetworkBridgeFilterFactory();
		filter.setReplayWhenNoConsumers(true);
		var queues = new PolicyEntry();
		queues.setQueue(">");
		queues.setNetworkBridgeFilterFactory(filter);
		var policy = new PolicyMap();
		policy.setDefaultEntry(queues);
		return policy;
	}

	private static void joinNetwork(BrokerService broker, Map<String, String> options) throws Exception {
		broker.addConnector("tcp://" + options.get("host") + ":" + options.get("network"));
		for (String peer : options.get("peers").split(",")) {
			NetworkConnector connector = broker.addNetworkConnector("static:(tcp://" + peer + ")?" + RETRY);
			connector.setName(peer);
		}
	}

}

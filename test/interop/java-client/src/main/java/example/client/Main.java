package example.client;

import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.Map;

import org.springframework.messaging.converter.SimpleMessageConverter;
import org.springframework.scheduling.concurrent.ThreadPoolTaskScheduler;
import org.springframework.web.socket.WebSocketHttpHeaders;
import org.springframework.web.socket.messaging.WebSocketStompClient;

import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * A stock Spring STOMP client, driven by lines of JSON.
 *
 * Usage: raw|sockjs URL HEADER-OF-USER USER
 *
 * <pre>
 * in:  {"do":"subscribe","id":…,"destination":…} {"do":"send","destination":…,"body":…}
 *      {"do":"unsubscribe","id":…} {"do":"disconnect"}
 * out: {"event":"connected",…headers} {"event":"message","id":…,"body":…,"headers":{…}} {"event":"receipt","id":…}
 *      {"event":"error",…} {"event":"closed","code":…}
 * </pre>
 *
 * Ends when its stdin does.
 */
public class Main {

	private static final JsonMapper JSON = JsonMapper.shared();

	public static void main(String[] arguments) throws Exception {
		var told = new Told(System.out);
		var conversation = new Conversation(told);
		connect(arguments[0], arguments[1], header(arguments[2], arguments[3]), told, conversation);
		var lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
		for (String line = lines.readLine(); line != null; line = lines.readLine()) {
			obey(conversation, JSON.readTree(line));
		}
		System.exit(0);
	}

	private static void connect(String transport, String url, WebSocketHttpHeaders headers, Told told,
			Conversation conversation) {
		var client = new WebSocketStompClient(Transports.named(transport, told));
		client.setMessageConverter(new SimpleMessageConverter());
		client.setTaskScheduler(scheduler());
		client.connectAsync(URI.create(url), headers, null, conversation).whenComplete((session, failure) -> {
			if (failure != null) {
				told.event("error", Map.of("kind", "connect", "message", String.valueOf(failure)));
			}
		});
	}

	private static void obey(Conversation conversation, JsonNode command) {
		switch (command.get("do").asString()) {
			case "subscribe" ->
				conversation.subscribe(command.get("id").asString(), command.get("destination").asString());
			case "send" -> conversation.send(command.get("destination").asString(), command.get("body").asString());
			case "unsubscribe" -> conversation.unsubscribe(command.get("id").asString());
			case "disconnect" -> conversation.disconnect();
			default -> throw new IllegalArgumentException("Unknown command " + command);
		}
	}

	private static WebSocketHttpHeaders header(String name, String value) {
		var headers = new WebSocketHttpHeaders();
		headers.add(name, value);
		return headers;
	}

	/** With one, the client asks for heart-beats, and for receipts within a time. */
	private static ThreadPoolTaskScheduler scheduler() {
		var scheduler = new ThreadPoolTaskScheduler();
		scheduler.setDaemon(true);
		scheduler.initialize();
		return scheduler;
	}

}

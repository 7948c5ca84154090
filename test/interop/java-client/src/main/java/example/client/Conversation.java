package example.client;

import java.lang.reflect.Type;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

import org.springframework.messaging.simp.stomp.StompCommand;
import org.springframework.messaging.simp.stomp.StompFrameHandler;
import org.springframework.messaging.simp.stomp.StompHeaders;
import org.springframework.messaging.simp.stomp.StompSession;
import org.springframework.messaging.simp.stomp.StompSessionHandlerAdapter;

/** The client's one STOMP session and its subscriptions. */
class Conversation extends StompSessionHandlerAdapter {

	private final Told told;

	private final Map<String, StompSession.Subscription> subscriptions = new ConcurrentHashMap<>();

	private volatile StompSession session;

	Conversation(Told told) {
		this.told = told;
	}

	/** Asks for a receipt, and tells when it came. */
	void subscribe(String id, String destination) {
		var headers = new StompHeaders();
		headers.setId(id);
		headers.setDestination(destination);
		headers.setReceipt("subscribed-" + id);
		var subscription = session.subscribe(headers, new Listener(id));
		subscription.addReceiptTask(() -> told.event("receipt", Map.of("id", id)));
		subscriptions.put(id, subscription);
	}

	void send(String destination, String body) {
		session.send(destination, body.getBytes(StandardCharsets.UTF_8));
	}

	void unsubscribe(String id) {
		subscriptions.remove(id).unsubscribe();
	}

	void disconnect() {
		session.disconnect();
	}

	@Override
	public void afterConnected(StompSession session, StompHeaders headers) {
		this.session = session;
		told.event("connected", Map.of("headers", headers.toSingleValueMap()));
	}

	/** ERROR frames come here. */
	@Override
	public void handleFrame(StompHeaders headers, Object payload) {
		told.event("error", Map.of("kind", "frame", "headers", headers.toSingleValueMap()));
	}

	@Override
	public void handleException(StompSession session, StompCommand command, StompHeaders headers, byte[] payload,
			Throwable failure) {
		told.event("error", Map.of("kind", "exception", "message", String.valueOf(failure)));
	}

	@Override
	public void handleTransportError(StompSession session, Throwable failure) {
		told.event("error", Map.of("kind", "transport", "message", String.valueOf(failure)));
	}

	private class Listener implements StompFrameHandler {

		private final String id;

		Listener(String id) {
			this.id = id;
		}

		@Override
		public Type getPayloadType(StompHeaders headers) {
			return byte[].class;
		}

		@Override
		public void handleFrame(StompHeaders headers, Object payload) {
			var body = payload == null ? "" : new String((byte[]) payload, StandardCharsets.UTF_8);
			told.event("message", Map.of("id", id, "body", body, "headers", headers.toSingleValueMap()));
		}

	}

}

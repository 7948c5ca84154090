package example.messaging;

import java.lang.reflect.Type;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

import org.springframework.messaging.converter.SimpleMessageConverter;
import org.springframework.messaging.simp.stomp.StompFrameHandler;
import org.springframework.messaging.simp.stomp.StompHeaders;
import org.springframework.messaging.simp.stomp.StompSession;
import org.springframework.messaging.simp.stomp.StompSessionHandlerAdapter;
import org.springframework.web.socket.WebSocketHttpHeaders;
import org.springframework.web.socket.client.standard.StandardWebSocketClient;
import org.springframework.web.socket.messaging.WebSocketStompClient;

/** STOMP clients of the tests. */
class Clients {

	private static final long ANSWER_MAX_SECONDS = 10;

	record Received(StompHeaders headers, byte[] body) {

		String text() {
			return new String(body, StandardCharsets.UTF_8);
		}

	}

	static StompSession connect(int port, String header, String value) throws Exception {
		var client = new WebSocketStompClient(new StandardWebSocketClient());
		client.setMessageConverter(new SimpleMessageConverter());
		var headers = new WebSocketHttpHeaders();
		headers.add(header, value);
		return client
			.connectAsync("ws://127.0.0.1:%d/ws/websocket".formatted(port), headers, new StompSessionHandlerAdapter() {
			})
			.get(ANSWER_MAX_SECONDS, TimeUnit.SECONDS);
	}

	/** Subscribes; returns when the subscription is live, which an echo proves as frames are handled in order. */
	static BlockingQueue<Received> listen(StompSession session, String destination) throws Exception {
		var messages = subscribe(session, destination);
		var echoes = subscribe(session, "/user/queue/echo");
		session.send("/app/echo", "live".getBytes(StandardCharsets.UTF_8));
		take(echoes);
		return messages;
	}

	static BlockingQueue<Received> subscribe(StompSession session, String destination) {
		var messages = new LinkedBlockingQueue<Received>();
		session.subscribe(destination, new StompFrameHandler() {
			@Override
			public Type getPayloadType(StompHeaders headers) {
				return byte[].class;
			}

			@Override
			public void handleFrame(StompHeaders headers, Object payload) {
				messages.add(new Received(headers, (byte[]) payload));
			}
		});
		return messages;
	}

	static Received take(BlockingQueue<Received> messages) throws InterruptedException {
		Received received = messages.poll(ANSWER_MAX_SECONDS, TimeUnit.SECONDS);
		if (received == null) {
			throw new AssertionError("No message within %d s".formatted(ANSWER_MAX_SECONDS));
		}
		return received;
	}

}

package example.client;

import java.net.URI;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;

import org.springframework.web.socket.CloseStatus;
import org.springframework.web.socket.WebSocketHandler;
import org.springframework.web.socket.WebSocketHttpHeaders;
import org.springframework.web.socket.WebSocketSession;
import org.springframework.web.socket.client.WebSocketClient;
import org.springframework.web.socket.client.standard.StandardWebSocketClient;
import org.springframework.web.socket.handler.WebSocketHandlerDecorator;
import org.springframework.web.socket.sockjs.client.SockJsClient;
import org.springframework.web.socket.sockjs.client.WebSocketTransport;

/** The ways to a server, each of which tells the close code: Spring's STOMP session does not. */
class Transports {

	static WebSocketClient named(String name, Told told) {
		return switch (name) {
			case "raw" -> new Telling(new StandardWebSocketClient(), told);
			case "sockjs" ->
				new Telling(new SockJsClient(List.of(new WebSocketTransport(new StandardWebSocketClient()))), told);
			default -> throw new IllegalArgumentException("Unknown transport " + name);
		};
	}

	private record Telling(WebSocketClient client, Told told) implements WebSocketClient {

		@Override
		public CompletableFuture<WebSocketSession> execute(WebSocketHandler handler, String template,
				Object... variables) {
			return client.execute(telling(handler), template, variables);
		}

		@Override
		public CompletableFuture<WebSocketSession> execute(WebSocketHandler handler, WebSocketHttpHeaders headers,
				URI uri) {
			return client.execute(telling(handler), headers, uri);
		}

		private WebSocketHandler telling(WebSocketHandler handler) {
			return new WebSocketHandlerDecorator(handler) {
				@Override
				public void afterConnectionClosed(WebSocketSession session, CloseStatus status) throws Exception {
					told.event("closed", Map.of("code", status.getCode()));
					super.afterConnectionClosed(session, status);
				}
			};
		}

	}

}

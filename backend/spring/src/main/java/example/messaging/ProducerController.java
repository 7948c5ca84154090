package example.messaging;

import java.io.IOException;
import java.io.InputStream;
import java.util.Locale;
import java.util.Map;

import jakarta.servlet.http.HttpServletRequest;

import org.springframework.http.HttpHeaders;
import org.springframework.http.HttpStatus;
import org.springframework.http.ResponseEntity;
import org.springframework.messaging.simp.SimpMessageHeaderAccessor;
import org.springframework.messaging.simp.SimpMessageType;
import org.springframework.messaging.simp.SimpMessagingTemplate;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RequestHeader;
import org.springframework.web.bind.annotation.RestController;
import org.springframework.web.server.ResponseStatusException;

/**
 * The door for producers: the body of a POST becomes a message to a user, octet for octet.
 *
 * 200 when the user has a session here that subscribes to the destination, 404 when not: ask another instance.
 */
@RestController
class ProducerController {

	private final SimpMessagingTemplate messaging;

	private final Listeners listeners;

	private final MessagingProperties properties;

	ProducerController(SimpMessagingTemplate messaging, Listeners listeners, MessagingProperties properties) {
		this.messaging = messaging;
		this.listeners = listeners;
		this.properties = properties;
	}

	@PostMapping("/api/users/{user}/messages")
	ResponseEntity<Map<String, String>> send(@PathVariable String user, HttpServletRequest request,
			@RequestHeader HttpHeaders headers, InputStream body) throws IOException {
		return send(user, new Query(request), headers, body);
	}

	/** For users whose names cannot stand in a path: servers refuse an encoded slash there. */
	@PostMapping("/api/messages")
	ResponseEntity<Map<String, String>> send(HttpServletRequest request, @RequestHeader HttpHeaders headers,
			InputStream body) throws IOException {
		var query = new Query(request);
		return send(query.required("user"), query, headers, body);
	}

	private ResponseEntity<Map<String, String>> send(String user, Query query, HttpHeaders headers, InputStream body)
			throws IOException {
		String destination = query.required("destination");
		byte[] payload = payload(body);
		if (!listeners.exist(user, destination)) {
			return answer(HttpStatus.NOT_FOUND, "offline");
		}
		SimpMessageHeaderAccessor accessor = producerHeaders(headers);
		messaging.convertAndSendToUser(user, destination, payload, accessor.getMessageHeaders(), message -> {
			// The converter has called the bytes application/octet-stream; the producer may know better.
			if (headers.getContentType() != null) {
				accessor.setContentType(headers.getContentType());
			}
			return message;
		});
		return answer(HttpStatus.OK, "delivered");
	}

	private ResponseEntity<Map<String, String>> answer(HttpStatus code, String status) {
		return ResponseEntity.status(code).body(Map.of("status", status, "instance", properties.instance()));
	}

	private byte[] payload(InputStream body) throws IOException {
		int max = (int) properties.producerMaxBody().toBytes();
		byte[] payload = body.readNBytes(max + 1);
		if (payload.length > max) {
			throw new ResponseStatusException(HttpStatus.valueOf(413), "At most %d bytes".formatted(max));
		}
		return payload;
	}

	private SimpMessageHeaderAccessor producerHeaders(HttpHeaders headers) {
		var accessor = SimpMessageHeaderAccessor.create(SimpMessageType.MESSAGE);
		accessor.setLeaveMutable(true);
		String prefix = properties.producerHeaderPrefix().toLowerCase(Locale.ROOT);
		headers.toSingleValueMap().forEach((name, value) -> {
			String lower = name.toLowerCase(Locale.ROOT);
			if (!prefix.isBlank() && lower.startsWith(prefix)) {
				accessor.setNativeHeader(lower, value);
			}
		});
		return accessor;
	}

}

package example.messaging;

import java.security.Principal;
import java.util.Map;

import org.springframework.messaging.handler.annotation.MessageMapping;
import org.springframework.messaging.handler.annotation.Payload;
import org.springframework.messaging.simp.annotation.SendToUser;
import org.springframework.messaging.simp.annotation.SubscribeMapping;
import org.springframework.stereotype.Controller;

/** What clients can say to the application. */
@Controller
class ChatController {

	private final MessagingProperties properties;

	ChatController(MessagingProperties properties) {
		this.properties = properties;
	}

	/** SEND to /app/echo comes back on /user/queue/echo of the session that sent it. */
	@MessageMapping("/echo")
	@SendToUser(destinations = "/queue/echo", broadcast = false)
	String echo(@Payload String text) {
		return text;
	}

	/** SUBSCRIBE to /app/state is answered once, on that subscription. */
	@SubscribeMapping("/state")
	Map<String, String> state(Principal user) {
		return Map.of("user", user == null ? "" : user.getName(), "instance", properties.instance());
	}

}

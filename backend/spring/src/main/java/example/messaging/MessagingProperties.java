package example.messaging;

import java.time.Duration;
import java.util.List;

import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;
import org.springframework.util.unit.DataSize;

/**
 * What this application can be told under {@code messaging.*}.
 *
 * @param instance how this instance names itself in its answers
 * @param userHeader request header that names the user when no JWT is configured
 * @param allowedOrigins patterns of web origins that may connect, beside the own one
 * @param heartbeat STOMP heart-beat of the simple broker in each direction; 0 for none
 * @param preservePublishOrder write the messages of a session in the order in which they were published
 * @param preserveReceiveOrder handle the frames of a session one after the other; with Spring Framework 6.2 and 7.0 a
 * user destination then reaches only the first of a user's sessions
 * @param producerHeaderPrefix request headers of a producer that begin so become headers of its MESSAGE; blank for none
 * @param producerMaxBody largest message of a producer
 * @param relay where the broker of the profile {@code relay} is
 */
@ConfigurationProperties("messaging")
record MessagingProperties(
		@DefaultValue("local") String instance,
		@DefaultValue("Username") String userHeader,
		@DefaultValue List<String> allowedOrigins,
		@DefaultValue("10s") Duration heartbeat,
		@DefaultValue("true") boolean preservePublishOrder,
		@DefaultValue("false") boolean preserveReceiveOrder,
		@DefaultValue("x-message-") String producerHeaderPrefix,
		@DefaultValue("64KB") DataSize producerMaxBody,
		@DefaultValue Relay relay) {

	/**
	 * @param startMax how long a start waits for the broker; past it the application ends
	 */
	record Relay(
			@DefaultValue("127.0.0.1") String host,
			@DefaultValue("61613") int port,
			@DefaultValue("guest") String login,
			@DefaultValue("guest") String passcode,
			@DefaultValue("/") String virtualHost,
			@DefaultValue("30s") Duration startMax) {
	}

}

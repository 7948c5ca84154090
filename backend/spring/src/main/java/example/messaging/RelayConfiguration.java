package example.messaging;

import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Profile;
import org.springframework.messaging.simp.config.MessageBrokerRegistry;
import org.springframework.web.socket.config.annotation.WebSocketMessageBrokerConfigurer;

/**
 * A broker outside, RabbitMQ say, that all instances share: each tells the others of its users, and passes on messages
 * for users whom it does not know.
 */
@Configuration(proxyBeanMethods = false)
@Profile("relay")
class RelayConfiguration {

	@Bean
	WebSocketMessageBrokerConfigurer brokerRelay(MessagingProperties properties) {
		var relay = properties.relay();
		return new WebSocketMessageBrokerConfigurer() {
			@Override
			public void configureMessageBroker(MessageBrokerRegistry registry) {
				registry.enableStompBrokerRelay("/topic", "/queue", "/exchange")
					.setRelayHost(relay.host())
					.setRelayPort(relay.port())
					.setVirtualHost(relay.virtualHost())
					.setClientLogin(relay.login())
					.setClientPasscode(relay.passcode())
					.setSystemLogin(relay.login())
					.setSystemPasscode(relay.passcode())
					.setUserDestinationBroadcast("/topic/unresolved-user-destination")
					.setUserRegistryBroadcast("/topic/simp-user-registry");
			}
		};
	}

}

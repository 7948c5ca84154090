package example.messaging;

import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Profile;
import org.springframework.messaging.simp.config.MessageBrokerRegistry;
import org.springframework.scheduling.concurrent.ThreadPoolTaskScheduler;
import org.springframework.web.socket.config.annotation.WebSocketMessageBrokerConfigurer;

/** The broker inside of this process. */
@Configuration(proxyBeanMethods = false)
@Profile("!relay")
class SimpleBrokerConfiguration {

	@Bean
	WebSocketMessageBrokerConfigurer simpleBroker(MessagingProperties properties) {
		return new WebSocketMessageBrokerConfigurer() {
			@Override
			public void configureMessageBroker(MessageBrokerRegistry registry) {
				long beat = properties.heartbeat().toMillis();
				var broker = registry.enableSimpleBroker("/topic", "/queue");
				if (beat > 0) {
					broker.setTaskScheduler(heartbeatScheduler()).setHeartbeatValue(new long[] { beat, beat });
				}
			}
		};
	}

	private static ThreadPoolTaskScheduler heartbeatScheduler() {
		var scheduler = new ThreadPoolTaskScheduler();
		scheduler.setThreadNamePrefix("heartbeat-");
		scheduler.setDaemon(true);
		scheduler.initialize();
		return scheduler;
	}

}

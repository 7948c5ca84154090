package example.messaging;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

import org.springframework.boot.ApplicationArguments;
import org.springframework.boot.ApplicationRunner;
import org.springframework.boot.availability.AvailabilityChangeEvent;
import org.springframework.boot.availability.ReadinessState;
import org.springframework.context.ApplicationContext;
import org.springframework.context.annotation.Profile;
import org.springframework.context.event.EventListener;
import org.springframework.messaging.simp.broker.BrokerAvailabilityEvent;
import org.springframework.stereotype.Component;

/** Ready only while the broker is there: without it every frame of a client would be answered by ERROR. */
@Component
@Profile("relay")
class BrokerReadiness implements ApplicationRunner {

	private final ApplicationContext context;

	private final MessagingProperties.Relay relay;

	private final CountDownLatch available = new CountDownLatch(1);

	BrokerReadiness(ApplicationContext context, MessagingProperties properties) {
		this.context = context;
		this.relay = properties.relay();
	}

	/** Traffic is accepted after all runners. */
	@Override
	public void run(ApplicationArguments arguments) throws InterruptedException {
		if (!available.await(relay.startMax().toMillis(), TimeUnit.MILLISECONDS)) {
			throw new IllegalStateException("No broker at %s:%d within %s (messaging.relay.start-max)"
				.formatted(relay.host(), relay.port(), relay.startMax()));
		}
	}

	@EventListener
	void changed(BrokerAvailabilityEvent event) {
		AvailabilityChangeEvent.publish(context,
				event.isBrokerAvailable() ? ReadinessState.ACCEPTING_TRAFFIC : ReadinessState.REFUSING_TRAFFIC);
		if (event.isBrokerAvailable()) {
			available.countDown();
		}
	}

}

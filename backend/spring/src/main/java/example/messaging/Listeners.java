package example.messaging;

import org.springframework.messaging.simp.user.SimpUser;
import org.springframework.messaging.simp.user.SimpUserRegistry;
import org.springframework.stereotype.Component;

/** Who listens to what, as far as this instance knows. */
@Component
class Listeners {

	private final SimpUserRegistry users;

	Listeners(SimpUserRegistry users) {
		this.users = users;
	}

	/** Whether a session of the user subscribes to the destination, which is given without /user. */
	boolean exist(String user, String destination) {
		SimpUser known = users.getUser(user);
		return known != null && known.getSessions()
			.stream()
			.flatMap(session -> session.getSubscriptions().stream())
			.anyMatch(subscription -> subscription.getDestination().equals("/user" + destination));
	}

}

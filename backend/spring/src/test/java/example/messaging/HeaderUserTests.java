package example.messaging;

import org.junit.jupiter.api.Test;

import org.springframework.beans.factory.annotation.Value;
import org.springframework.boot.test.context.SpringBootTest;
import org.springframework.boot.test.context.SpringBootTest.WebEnvironment;

import static org.assertj.core.api.Assertions.assertThat;

@SpringBootTest(webEnvironment = WebEnvironment.RANDOM_PORT)
class HeaderUserTests {

	@Value("${local.server.port}")
	int port;

	@Test
	void theHeaderNamesTheUserWhenNoJwtIsConfigured() throws Exception {
		var session = Clients.connect(port, "Username", "dave");
		var state = Clients.take(Clients.subscribe(session, "/app/state"));
		assertThat(state.text()).contains("\"user\":\"dave\"");
		session.disconnect();
	}

}

package example.messaging;

import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;

import org.junit.jupiter.api.Test;

import org.springframework.beans.factory.annotation.Value;
import org.springframework.boot.test.context.SpringBootTest;
import org.springframework.boot.test.context.SpringBootTest.WebEnvironment;

import static org.assertj.core.api.Assertions.assertThat;

@SpringBootTest(webEnvironment = WebEnvironment.RANDOM_PORT,
		properties = { "messaging.producer-max-body=8B", "messaging.preserve-receive-order=true" })
class ProducerControllerTests {

	private final HttpClient http = HttpClient.newHttpClient();

	@Value("${local.server.port}")
	int port;

	@Test
	void aUserWithoutASessionIsNotFound() throws Exception {
		assertThat(post("/api/users/nobody/messages?destination=/queue/news", "text/plain", "hello")).isEqualTo(404);
	}

	@Test
	void aUserWhoDoesNotSubscribeToTheDestinationIsNotFound() throws Exception {
		var session = Clients.connect(port, "Username", "eve");
		Clients.listen(session, "/user/queue/news");
		assertThat(post("/api/users/eve/messages?destination=/queue/orders", "text/plain", "hello")).isEqualTo(404);
		session.disconnect();
	}

	@Test
	void aMessageReachesItsUserWithTypeAndHeaders() throws Exception {
		var session = Clients.connect(port, "Username", "alice");
		var news = Clients.listen(session, "/user/queue/news");
		assertThat(post("/api/users/alice/messages?destination=%2Fqueue%2Fnews", "text/plain", "hello")).isEqualTo(200);
		var message = Clients.take(news);
		assertThat(message.text()).isEqualTo("hello");
		assertThat(message.headers().getFirst("content-type")).isEqualTo("text/plain");
		assertThat(message.headers().getFirst("x-message-id")).isEqualTo("m-1");
		assertThat(message.headers()).doesNotContainKey("x-other");
		session.disconnect();
	}

	@Test
	void aBodyThatIsCalledAFormArrivesAsItIs() throws Exception {
		var session = Clients.connect(port, "Username", "bob");
		var news = Clients.listen(session, "/user/queue/news");
		assertThat(post("/api/users/bob/messages?destination=/queue/news", "application/x-www-form-urlencoded", "a=b&c"))
			.isEqualTo(200);
		assertThat(Clients.take(news).text()).isEqualTo("a=b&c");
		session.disconnect();
	}

	@Test
	void aUserWithASlashIsNamedInTheQuery() throws Exception {
		var session = Clients.connect(port, "Username", "a/b");
		var news = Clients.listen(session, "/user/queue/news");
		assertThat(post("/api/messages?user=a%2Fb&destination=/queue/news", "text/plain", "hello")).isEqualTo(200);
		assertThat(Clients.take(news).text()).isEqualTo("hello");
		session.disconnect();
	}

	@Test
	void aBodyPastTheBoundIsRefused() throws Exception {
		assertThat(post("/api/users/nobody/messages?destination=/queue/news", "text/plain", "12345678")).isEqualTo(404);
		assertThat(post("/api/users/nobody/messages?destination=/queue/news", "text/plain", "123456789")).isEqualTo(413);
	}

	@Test
	void aDestinationIsRequired() throws Exception {
		assertThat(post("/api/users/alice/messages", "text/plain", "hello")).isEqualTo(400);
	}

	private int post(String path, String type, String body) throws Exception {
		var request = HttpRequest.newBuilder(URI.create("http://127.0.0.1:%d%s".formatted(port, path)))
			.header("content-type", type)
			.header("x-message-id", "m-1")
			.header("x-other", "not passed on")
			.POST(HttpRequest.BodyPublishers.ofString(body))
			.build();
		return http.send(request, HttpResponse.BodyHandlers.discarding()).statusCode();
	}

}

package example.messaging;

import java.util.concurrent.ExecutionException;

import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.JWSHeader;
import com.nimbusds.jose.crypto.MACSigner;
import com.nimbusds.jwt.JWTClaimsSet;
import com.nimbusds.jwt.SignedJWT;
import org.junit.jupiter.api.Test;

import org.springframework.beans.factory.annotation.Value;
import org.springframework.boot.test.context.SpringBootTest;
import org.springframework.boot.test.context.SpringBootTest.WebEnvironment;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

@SpringBootTest(webEnvironment = WebEnvironment.RANDOM_PORT, properties = "messaging.jwt-secret=" + JwtUserTests.SECRET)
class JwtUserTests {

	static final String SECRET = "a secret of at least 32 characters";

	@Value("${local.server.port}")
	int port;

	@Test
	void theSubjectIsTheUser() throws Exception {
		var session = Clients.connect(port, "Authorization", "Bearer " + token(SECRET, "carol"));
		var state = Clients.take(Clients.subscribe(session, "/app/state"));
		assertThat(state.text()).contains("\"user\":\"carol\"");
		session.disconnect();
	}

	@Test
	void aTokenOfSomebodyElseIsRefused() throws Exception {
		var forged = token("another secret of at least 32 octets", "carol");
		assertThatThrownBy(() -> Clients.connect(port, "Authorization", "Bearer " + forged))
			.isInstanceOf(ExecutionException.class)
			.hasStackTraceContaining("401");
	}

	@Test
	void theHeaderAloneIsRefused() {
		assertThatThrownBy(() -> Clients.connect(port, "Username", "carol")).isInstanceOf(ExecutionException.class)
			.hasStackTraceContaining("401");
	}

	private static String token(String secret, String subject) throws Exception {
		var token = new SignedJWT(new JWSHeader(JWSAlgorithm.HS256),
				new JWTClaimsSet.Builder().subject(subject).build());
		token.sign(new MACSigner(secret));
		return token.serialize();
	}

}

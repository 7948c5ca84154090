package example.messaging;

import java.nio.charset.StandardCharsets;

import javax.crypto.spec.SecretKeySpec;

import org.springframework.beans.factory.ObjectProvider;
import org.springframework.beans.factory.annotation.Value;
import org.springframework.boot.autoconfigure.condition.ConditionalOnProperty;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.core.annotation.Order;
import org.springframework.security.authentication.AuthenticationManager;
import org.springframework.security.authentication.ProviderManager;
import org.springframework.security.config.Customizer;
import org.springframework.security.config.annotation.web.builders.HttpSecurity;
import org.springframework.security.config.annotation.web.configurers.AbstractHttpConfigurer;
import org.springframework.security.config.annotation.web.configurers.HeadersConfigurer.FrameOptionsConfig;
import org.springframework.security.config.http.SessionCreationPolicy;
import org.springframework.security.core.authority.AuthorityUtils;
import org.springframework.security.core.userdetails.User;
import org.springframework.security.oauth2.jwt.JwtDecoder;
import org.springframework.security.oauth2.jwt.NimbusJwtDecoder;
import org.springframework.security.web.SecurityFilterChain;
import org.springframework.security.web.authentication.preauth.PreAuthenticatedAuthenticationProvider;
import org.springframework.security.web.authentication.preauth.RequestHeaderAuthenticationFilter;

/**
 * Who the user is: with a JWT configured, its subject and nobody without one; else the header that a trusted ingress sets.
 *
 * A JWT is configured by {@code messaging.jwt-secret} (HMAC) or by Spring Boot's own
 * {@code spring.security.oauth2.resourceserver.jwt.*} (JWK set, public key).
 */
@Configuration(proxyBeanMethods = false)
class SecurityConfiguration {

	/** Doors for the inside of the cluster; an ingress must not route to them. */
	@Bean
	@Order(1)
	SecurityFilterChain internal(HttpSecurity http) throws Exception {
		return stateless(http).securityMatcher("/api/**", "/actuator/**")
			.authorizeHttpRequests(requests -> requests.anyRequest().permitAll())
			.build();
	}

	@Bean
	@Order(2)
	SecurityFilterChain clients(HttpSecurity http, ObjectProvider<JwtDecoder> tokens,
			AuthenticationManager headerUsers, MessagingProperties properties) throws Exception {
		stateless(http);
		if (tokens.getIfAvailable() == null) {
			return http.addFilter(headerUser(headerUsers, properties.userHeader()))
				.authorizeHttpRequests(requests -> requests.anyRequest().permitAll())
				.build();
		}
		return http.oauth2ResourceServer(server -> server.jwt(Customizer.withDefaults()))
			.authorizeHttpRequests(requests -> requests.anyRequest().authenticated())
			.build();
	}

	@Bean
	@ConditionalOnProperty("messaging.jwt-secret")
	JwtDecoder secretJwtDecoder(@Value("${messaging.jwt-secret}") String secret) {
		return NimbusJwtDecoder.withSecretKey(new SecretKeySpec(secret.getBytes(StandardCharsets.UTF_8), "HmacSHA256"))
			.build();
	}

	@Bean
	AuthenticationManager headerUsers() {
		var provider = new PreAuthenticatedAuthenticationProvider();
		provider.setPreAuthenticatedUserDetailsService(
				token -> new User(token.getName(), "", AuthorityUtils.NO_AUTHORITIES));
		return new ProviderManager(provider);
	}

	/** No bean: Spring Boot would put it before every request, those with a JWT too. */
	private static RequestHeaderAuthenticationFilter headerUser(AuthenticationManager headerUsers, String header) {
		var filter = new RequestHeaderAuthenticationFilter();
		filter.setPrincipalRequestHeader(header);
		filter.setExceptionIfHeaderMissing(false);
		filter.setAuthenticationManager(headerUsers);
		return filter;
	}

	/** SockJS posts without a CSRF token, and its iframe transports are framed by their own origin. */
	private static HttpSecurity stateless(HttpSecurity http) throws Exception {
		return http.csrf(AbstractHttpConfigurer::disable)
			.headers(headers -> headers.frameOptions(FrameOptionsConfig::sameOrigin))
			.sessionManagement(sessions -> sessions.sessionCreationPolicy(SessionCreationPolicy.STATELESS));
	}

}

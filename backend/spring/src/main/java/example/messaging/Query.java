package example.messaging;

import java.nio.charset.StandardCharsets;

import jakarta.servlet.http.HttpServletRequest;

import org.springframework.http.HttpStatus;
import org.springframework.util.MultiValueMap;
import org.springframework.web.server.ResponseStatusException;
import org.springframework.web.util.UriComponentsBuilder;
import org.springframework.web.util.UriUtils;

/**
 * The query of a request. Asking the request for a parameter would read the body too when it is called a form, which
 * {@code curl -d} does.
 */
class Query {

	private final MultiValueMap<String, String> parameters;

	Query(HttpServletRequest request) {
		this.parameters = UriComponentsBuilder.newInstance().query(request.getQueryString()).build().getQueryParams();
	}

	String required(String name) {
		String value = parameters.getFirst(name);
		if (value == null || value.isEmpty()) {
			throw new ResponseStatusException(HttpStatus.BAD_REQUEST, "?%s= is missing".formatted(name));
		}
		return UriUtils.decode(value, StandardCharsets.UTF_8);
	}

}

package example.client;

import java.io.PrintStream;
import java.util.LinkedHashMap;
import java.util.Map;

import tools.jackson.databind.json.JsonMapper;

/** Events as lines of JSON, each whole, whichever thread tells it. */
class Told {

	private final PrintStream out;

	Told(PrintStream out) {
		this.out = out;
	}

	synchronized void event(String name, Map<String, ?> details) {
		var line = new LinkedHashMap<String, Object>();
		line.put("event", name);
		line.putAll(details);
		out.println(JsonMapper.shared().writeValueAsString(line));
		out.flush();
	}

}

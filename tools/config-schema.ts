/** Writes docs/config.schema.json from the configuration's schema. Usage: node tools/run.mjs tools/config-schema.ts */
import { writeFileSync } from 'node:fs';
import { configJsonSchemaText } from '../proxy/config/json-schema.ts';

writeFileSync(new URL('../docs/config.schema.json', import.meta.url), configJsonSchemaText());

import { Ajv, type AnySchema } from 'ajv';

/** What a value breaks in a schema, one line each with its place; empty when it is right. */
export type Check = (value: unknown) => string[];

/** @param schemas further ones, by the names under which `schema` refers to them */
export function checkOf(schema: AnySchema, schemas: Readonly<Record<string, AnySchema>> = {}): Check {
  const ajv = new Ajv({ allErrors: true, strict: false, validateFormats: false, code: { regExp: goPattern } });
  for (const [name, other] of Object.entries(schemas)) ajv.addSchema(other, name);
  const validate = ajv.compile(schema);
  return (value) => {
    if (validate(value)) return [];
    return (validate.errors ?? []).map(({ instancePath, message, params }) => {
      const { additionalProperty } = params as { additionalProperty?: string };
      return `${instancePath || '/'} ${message}${additionalProperty === undefined ? '' : `: ${additionalProperty}`}`;
    });
  };
}

/** Custom resources have patterns of Go, which says in the pattern that case does not matter. */
function goPattern(pattern: string, flags: string): RegExp {
  return pattern.includes('(?i)') ? new RegExp(pattern.replace('(?i)', ''), `${flags}i`) : new RegExp(pattern, flags);
}
/** What ajv would write for it into code that stands alone, which nobody asks for. */
goPattern.code = 'new RegExp';

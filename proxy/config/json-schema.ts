import { z } from 'zod';
import { schema } from './schema.ts';

/** The JSON schema of the YAML file (draft 7, which editors know best): what may be written, with units and defaults. */
export function configJsonSchema(): unknown {
  return z.toJSONSchema(schema, {
    io: 'input',
    target: 'draft-7',
    // zod leaves examples out where a value is transformed; these are examples of what is written.
    override: ({ zodSchema, jsonSchema }) => {
      const examples = z.globalRegistry.get(zodSchema)?.['examples'];
      if (Array.isArray(examples)) jsonSchema.examples = examples;
    },
  });
}

/** As it is published. */
export function configJsonSchemaText(): string {
  return `${JSON.stringify(configJsonSchema(), null, 2)}\n`;
}

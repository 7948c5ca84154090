/** Writes proxy/relay/frame-runs-code.ts from frame-runs.wat beside it. Usage: node tools/run.mjs tools/frame-runs.ts */
import { readFileSync, writeFileSync } from 'node:fs';
import wabt from 'wabt';

const relay = new URL('../proxy/relay/', import.meta.url);

/** The file's text, as it has to be. */
export async function frameRunsCode(): Promise<string> {
  const { parseWat } = await wabt();
  const module = parseWat('frame-runs.wat', readFileSync(new URL('frame-runs.wat', relay), 'utf8'), { simd: true });
  module.validate();
  const code = Buffer.from(module.toBinary({}).buffer).toString('base64');
  module.destroy();
  return `/** frame-runs.wat, made by tools/frame-runs.ts: base64. */\nexport const FRAME_RUNS_CODE =\n  '${code}';\n`;
}

if (import.meta.main) writeFileSync(new URL('frame-runs-code.ts', relay), await frameRunsCode());

/** Writes the Grafana board. Usage: node tools/run.mjs tools/board/main.ts */
import { writeFileSync } from 'node:fs';
import { boardText } from './board.ts';

writeFileSync(new URL('../../manifests/components/monitoring/holdfast.json', import.meta.url), boardText());

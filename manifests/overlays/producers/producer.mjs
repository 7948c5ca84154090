/**
 * A message to one user each second, through the gateway of any proxy. What a producer has to do by itself: name each message, and
 * send it again under the same name when it does not know what became of it.
 *
 * GATEWAY: http://HOST:PORT of the Service holdfast-admin. TOKEN_FILE: the gateway's token. USER_NAME, DESTINATION: to whom.
 */
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';

const { GATEWAY, TOKEN_FILE, USER_NAME, DESTINATION } = process.env;
const url = `${GATEWAY}/v1/users/${encodeURIComponent(USER_NAME)}/messages?destination=${encodeURIComponent(DESTINATION)}`;
const token = readFileSync(TOKEN_FILE, 'utf8').trim();
const EVERY_MS = 1_000;
const TRIES = 5;

/** 200, 404 and 4xx are final; 503 and 504, and no answer at all, are not. */
async function send(body) {
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json', 'holdfast-id': randomUUID() };
  for (let attempt = 1; attempt <= TRIES; attempt++) {
    const answer = await fetch(url, { method: 'POST', headers, body }).catch(() => undefined);
    const text = await answer?.text();
    if (answer !== undefined && answer.status < 503) return text.trim();
    await setTimeout(Number(answer?.headers.get('retry-after') ?? 1) * 1_000);
  }
  return '{"status":"given up"}';
}

for (let n = 1; ; n++) {
  console.log(await send(JSON.stringify({ n })));
  await setTimeout(EVERY_MS);
}

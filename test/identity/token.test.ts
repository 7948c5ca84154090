import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { exportJWK, type GenerateKeyPairResult, generateKeyPair, type JWK, SignJWT } from 'jose';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { Identifier } from '../../proxy/identity/index.ts';
import { createKeySet } from '../../proxy/identity/key-set.ts';
import { connect, identifier, request } from './support.ts';

const NOW_MS = Date.parse('2026-06-01T12:00:00Z');
const NOW = NOW_MS / 1000;
const now = () => NOW_MS;
const SECRET = 'a secret that is long enough for HS256';
const CLAIMS = { sub: 'alice', iss: 'https://login.example.com', aud: 'chat', exp: NOW + 600 };
const ALICE = { kind: 'user', user: 'alice', ringKey: 'alice' };

const denied = (reason: string) => ({ kind: 'denied', status: 401, reason });

const folder = mkdtempSync(join(tmpdir(), 'holdfast-'));
const secretFile = join(folder, 'secret');
writeFileSync(secretFile, `${SECRET}\n`);
afterAll(() => rmSync(folder, { recursive: true }));

function signed(
  claims: Record<string, unknown>,
  key: string | CryptoKey = SECRET,
  alg = 'HS256',
  kid?: string,
): Promise<string> {
  const header = { alg, ...(kid === undefined ? {} : { kid }) };
  return new SignJWT(claims).setProtectedHeader(header).sign(typeof key === 'string' ? Buffer.from(key) : key);
}

const segment = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');

const bearer = (token: string) => request([`Authorization: Bearer ${token}`]);

describe('a token with a shared secret', () => {
  const identity = identifier(
    ['--user', 'jwt', '--jwt-secret-file', secretFile, '--jwt-issuer', CLAIMS.iss, '--jwt-audience', 'chat'],
    { now },
  );

  test.each<[string, Record<string, unknown>, string?]>([
    ['as it should be', {}],
    ['for several audiences', { aud: ['mail', 'chat'] }],
    ['of another issuer', { iss: 'https://evil.example' }, 'the claim iss of the token is not the right one'],
    ['of no issuer', { iss: undefined }, 'the claim iss of the token is missing'],
    ['for another audience', { aud: 'mail' }, 'the claim aud of the token is not the right one'],
    ['for no audience', { aud: undefined }, 'the claim aud of the token is missing'],
    ['that never ends', { exp: undefined }, 'the claim exp of the token is missing'],
    ['expired, one second inside the skew', { exp: NOW - 59 }],
    ['expired, at the skew', { exp: NOW - 60 }, 'the token has expired'],
    ['not yet valid, at the skew', { nbf: NOW + 60 }],
    ['not yet valid, one second outside the skew', { nbf: NOW + 61 }, 'the token is not valid yet'],
    ['with a claim of the wrong kind', { exp: 'soon' }, 'the claim exp of the token is not the right one'],
    ['without a user', { sub: undefined }, 'the token has no claim sub with a text or whole number'],
    ['with a user that is a list', { sub: ['alice'] }, 'the token has no claim sub with a text or whole number'],
  ])('%s', async (_, claims, reason) => {
    const token = await signed({ ...CLAIMS, ...claims });
    expect(await identity.atUpgrade(bearer(token))).toEqual(reason === undefined ? ALICE : denied(reason));
  });

  test('with an illegal user name is denied as any other', async () => {
    const token = await signed({ ...CLAIMS, sub: ' alice' });
    const verdict = { kind: 'denied', status: 403, reason: 'the user name begins or ends with a blank' };
    expect(await identity.atUpgrade(bearer(token))).toEqual(verdict);
  });

  test('signed with another secret', async () => {
    const token = await signed(CLAIMS, `${SECRET}!`);
    expect(await identity.atUpgrade(bearer(token))).toEqual(denied('the signature of the token does not match'));
  });

  test('signed with an algorithm that is not listed', async () => {
    const token = await signed(CLAIMS, SECRET.repeat(2), 'HS512');
    expect(await identity.atUpgrade(bearer(token))).toEqual(
      denied('the token is signed with an algorithm that is not accepted'),
    );
  });

  test.each(['none', 'None', 'NONE'])('with the algorithm %s', async (alg) => {
    for (const signature of ['', segment('x')]) {
      const token = `${segment({ alg })}.${segment(CLAIMS)}.${signature}`;
      expect(await identity.atUpgrade(bearer(token))).toEqual(
        denied('the token is signed with an algorithm that is not accepted'),
      );
    }
  });

  test.each(['', 'x', 'a.b', 'a.b.c', '..', `${segment({ alg: 'HS256' })}.x.y`, 'a.b.c.d.e'])(
    'that is %j',
    async (token) => {
      expect(await identity.atUpgrade(bearer(token))).toMatchObject({ kind: 'denied', status: 401 });
    },
  );

  test('changed in one character', async () => {
    const [header, , signature] = (await signed(CLAIMS)).split('.');
    const token = `${header}.${segment({ ...CLAIMS, sub: 'admin' })}.${signature}`;
    expect(await identity.atUpgrade(bearer(token))).toEqual(denied('the signature of the token does not match'));
  });

  test('that names critical extensions nobody knows', async () => {
    const token = `${segment({ alg: 'HS256', crit: ['x'], x: 1 })}.${segment(CLAIMS)}.${segment('x')}`;
    expect(await identity.atUpgrade(bearer(token))).toEqual(denied('the token cannot be read'));
  });
});

describe('where the token stands', () => {
  const secret = ['--jwt-secret-file', secretFile];
  const valid = () => signed(CLAIMS);

  test.each([
    ['jwt', (token: string) => bearer(token)],
    ['jwt', (token: string) => request([`authorization: bEARER   ${token}`])],
    ['jwt:cookie:t', (token: string) => request([`Cookie: t=${token}`])],
    ['jwt:query:t', (token: string) => request([], { url: `/ws?t=${token}` })],
  ])('%s', async (source, asked) => {
    const identity = identifier(['--user', source, ...secret], { now });
    expect(await identity.atUpgrade(asked(await valid()))).toEqual(ALICE);
    expect(await identity.atUpgrade(request())).toMatchObject({ kind: 'denied', status: 401 });
    expect(await identity.atUpgrade(asked('x'))).toEqual(denied('the token cannot be read'));
  });

  test('a header of its own needs no Bearer', async () => {
    const identity = identifier(['--user', 'jwt', '--jwt-header', 'x-token', ...secret], { now });
    const token = await valid();
    expect(await identity.atUpgrade(request([`X-Token: ${token}`]))).toEqual(ALICE);
    expect(await identity.atUpgrade(request([`X-Token: Bearer ${token}`]))).toEqual(ALICE);
    expect(await identity.atUpgrade(request([`X-Token: Basic ${token}`]))).toEqual(denied('the token cannot be read'));
  });

  test('another claim may name the user, as a text or whole number', async () => {
    const identity = identifier(['--user', 'jwt', '--jwt-claim', 'uid', ...secret], { now });
    const token = await signed({ ...CLAIMS, uid: 7 });
    expect(await identity.atUpgrade(bearer(token))).toMatchObject({ user: '7' });
    expect(await identity.atUpgrade(bearer(await signed({ ...CLAIMS, uid: 7.5 })))).toMatchObject({ kind: 'denied' });
  });

  test('a claim is not taken from the prototype', async () => {
    const identity = identifier(['--user', 'jwt', '--jwt-claim', 'constructor', ...secret], { now });
    expect(await identity.atUpgrade(bearer(await valid()))).toMatchObject({ kind: 'denied', status: 401 });
  });

  test('a bad token does not fall through, Basic is no token, two headers are a denial', async () => {
    const identity = identifier(['--user', 'jwt,header:Username', ...secret], { now });
    const both = (authorization: string) => request([`Authorization: ${authorization}`, 'Username: bob']);
    expect(await identity.atUpgrade(both('Bearer x'))).toEqual(denied('the token cannot be read'));
    expect(await identity.atUpgrade(both('Bearer'))).toEqual(denied('the token cannot be read'));
    expect(await identity.atUpgrade(both('Basic YTpi'))).toMatchObject({ user: 'bob' });
    const token = await valid();
    const twice = request([`Authorization: Bearer ${token}`, `authorization: Bearer ${token}`]);
    expect(await identity.atUpgrade(twice)).toMatchObject({ kind: 'denied', status: 403 });
  });

  test('in CONNECT, in either case', async () => {
    const identity = identifier(['--user', 'stomp-authorization,header:Username', ...secret], { now });
    const token = await valid();
    const asked = request(['Username: bob']);
    expect(await identity.atUpgrade(asked)).toEqual({ kind: 'later' });
    expect(await identity.atConnect(asked, connect([['Authorization', `Bearer ${token}`]]))).toEqual(ALICE);
    expect(await identity.atConnect(asked, connect([['authorization', `Bearer ${token}`]]))).toEqual(ALICE);
    expect(await identity.atConnect(asked, connect())).toMatchObject({ user: 'bob' });
    expect(await identity.atConnect(asked, connect([['Authorization', 'Bearer x']]))).toMatchObject({ status: 401 });
    // The first of repeated headers counts in STOMP; two spellings are two headers, and which one is meant is a guess.
    const repeated = [
      ['Authorization', `Bearer ${token}`],
      ['Authorization', 'Bearer x'],
    ] as const;
    expect(await identity.atConnect(asked, connect(repeated))).toEqual(ALICE);
    const two = [
      ['Authorization', `Bearer ${token}`],
      ['authorization', 'Bearer x'],
    ] as const;
    expect(await identity.atConnect(asked, connect(two))).toMatchObject({ kind: 'denied', status: 403 });
  });
});

describe('decode-only', () => {
  const argv = ['--user', 'jwt,query:user', '--jwt-decode-only', '--trusted-peers', '10.0.0.0/8'];
  const unsigned = `${segment({ alg: 'none' })}.${segment({ sub: 'alice' })}.`;

  test('believes a token of a trusted peer, and does not see one of another', async () => {
    const identity = identifier(argv);
    const asked = (remoteAddress: string) => ({ ...bearer(unsigned), remoteAddress, url: '/?user=bob' });
    expect(await identity.atUpgrade(asked('10.0.0.1'))).toEqual(ALICE);
    expect(await identity.atUpgrade(asked('11.0.0.1'))).toMatchObject({ user: 'bob' });
  });

  test('still needs a token', async () => {
    expect(await identifier(argv).atUpgrade(bearer('x.y.z'))).toEqual(denied('the token cannot be read'));
  });
});

describe('the secret file', () => {
  const withSecret =
    (file: string, ...argv: string[]) =>
    () =>
      identifier(['--user', 'jwt', '--jwt-secret-file', file, ...argv]);

  test.each([
    [31, 'HS256', false],
    [32, 'HS256', true],
    [47, 'HS384', false],
    [48, 'HS384', true],
    [63, 'HS512', false],
    [64, 'HS512', true],
    [32, 'HS256,HS512', false],
  ])('of %i bytes for %s: %s', (bytes, algorithms, enough) => {
    const file = join(folder, `secret-${bytes}`);
    writeFileSync(file, `${'x'.repeat(bytes)}\r\n`);
    const create = withSecret(file, '--jwt-algorithms', algorithms);
    if (enough) expect(create).not.toThrow();
    else expect(create).toThrow(`jwt.secret-file: ${file} holds ${bytes} bytes`);
  });

  test('that is not there', () => {
    expect(withSecret(join(folder, 'none'))).toThrow('jwt.secret-file: cannot be read: ENOENT');
  });
});

/** An issuer on loopback whose keys can be rolled and whose server can go away. */
class Issuer {
  asked = 0;
  keys: JWK[] = [];
  private server: Server | undefined;
  private port = 0;

  get url(): string {
    return `http://127.0.0.1:${this.port}/keys`;
  }

  async up(): Promise<void> {
    this.server = createServer((_, response) => {
      this.asked++;
      response.end(JSON.stringify({ keys: this.keys }));
    });
    const { promise, resolve } = Promise.withResolvers<void>();
    this.server.listen(this.port, '127.0.0.1', resolve);
    await promise;
    this.port = (this.server.address() as AddressInfo).port;
  }

  async down(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<unknown>();
    if (this.server === undefined) return;
    this.server.close(resolve);
    this.server.closeAllConnections();
    this.server = undefined;
    await promise;
  }
}

describe('a token with public keys', () => {
  let first: GenerateKeyPairResult;
  let second: GenerateKeyPairResult;
  let issuer: Issuer;
  const jwk = async (pair: GenerateKeyPairResult, kid: string) => ({ ...(await exportJWK(pair.publicKey)), kid });
  const token = (pair: GenerateKeyPairResult, kid?: string) => signed(CLAIMS, pair.privateKey, 'ES256', kid);
  const create = (...argv: string[]) => identifier(['--user', 'jwt', '--jwt-jwks-url', issuer.url, ...argv], { now });
  const verdict = async (identity: Identifier, text: Promise<string>) => identity.atUpgrade(bearer(await text));

  beforeAll(async () => {
    first = await generateKeyPair('ES256');
    second = await generateKeyPair('ES256');
  });

  const setUp = async () => {
    issuer = new Issuer();
    issuer.keys = [await jwk(first, 'one')];
    await issuer.up();
  };
  afterEach(() => issuer.down());

  test('is checked with the key it names; the keys are fetched once', async () => {
    await setUp();
    const identity = create();
    const verdicts = await Promise.all([1, 2, 3].map(() => verdict(identity, token(first, 'one'))));
    expect(verdicts).toEqual([ALICE, ALICE, ALICE]);
    expect(await verdict(identity, token(first))).toEqual(ALICE);
    expect(issuer.asked).toBe(1);
  });

  test('signed by somebody else', async () => {
    await setUp();
    expect(await verdict(create(), token(second, 'one'))).toEqual(denied('the signature of the token does not match'));
  });

  test('of an unknown key is denied, and does not make us ask again at once', async () => {
    await setUp();
    const identity = create();
    for (const kid of ['two', 'three', 'two'])
      expect(await verdict(identity, token(second, kid))).toEqual(
        denied('the token is signed with a key that is not known'),
      );
    expect(issuer.asked).toBe(1);
  });

  test('made with a public key as if it were a shared secret', async () => {
    await setUp();
    const shared = JSON.stringify(issuer.keys[0]);
    expect(await verdict(create(), signed(CLAIMS, shared, 'HS256', 'one'))).toEqual(
      denied('the token is signed with an algorithm that is not accepted'),
    );
  });

  test('signed with an algorithm that is not listed', async () => {
    await setUp();
    expect(await verdict(create('--jwt-algorithms', 'RS256'), token(first, 'one'))).toEqual(
      denied('the token is signed with an algorithm that is not accepted'),
    );
  });

  test('while the key server is down from the start, then up', async () => {
    await setUp();
    await issuer.down();
    const identity = create();
    const reason = 'the keys to check the token cannot be had now; try again';
    expect(await verdict(identity, token(first, 'one'))).toEqual(denied(reason));
    await issuer.up();
    expect(await verdict(identity, token(first, 'one'))).toEqual(ALICE);
  });

  test('is checked with the keys at hand while the server is down', async () => {
    await setUp();
    const identity = create();
    expect(await verdict(identity, token(first, 'one'))).toEqual(ALICE);
    await issuer.down();
    expect(await verdict(identity, token(first, 'one'))).toEqual(ALICE);
  });

  test('from a server that answers nonsense', async () => {
    await setUp();
    issuer.keys = 'x' as never;
    const reason = 'the keys to check the token cannot be had now; try again';
    expect(await verdict(create(), token(first, 'one'))).toEqual(denied(reason));
  });

  test('of a new key is accepted after the cooldown', async () => {
    await setUp();
    const keys = createKeySet(issuer.url, { cooldownMs: 0 });
    const header = (kid: string) => ({ alg: 'ES256', kid });
    await keys(header('one'), undefined as never);
    issuer.keys = [await jwk(second, 'two')];
    await keys(header('two'), undefined as never);
    await expect(async () => keys(header('one'), undefined as never)).rejects.toThrow('no applicable key');
  });

  test('keys are renewed beside the traffic, and kept when that fails', async () => {
    await setUp();
    let time = NOW_MS;
    const { promise: failed, resolve: fail } = Promise.withResolvers<string>();
    const log = { warn: (_: unknown, message?: string) => fail(message ?? '') };
    const options = { now: () => time, refreshMs: 1_000, cooldownMs: 60_000, log };
    const keys = createKeySet(issuer.url, options);
    const ask = (kid: string) => keys({ alg: 'ES256', kid }, undefined as never);
    await ask('one');
    time += 999;
    await ask('one');
    expect(issuer.asked).toBe(1);
    issuer.keys = [await jwk(second, 'two')];
    time += 1;
    await ask('one');
    // The next answer has only the other key: the one that was taken back is good no more.
    await expect.poll(async () => ask('two'), { timeout: 10_000 }).toBeDefined();
    await expect(async () => ask('one')).rejects.toThrow('no applicable key');
    await issuer.down();
    time += 1_000;
    await ask('two');
    expect(await failed).toContain('could not be renewed');
    await ask('two');
  });
});

import { describe, expect, test, vi } from 'vitest';
import {
  Decoder,
  type DecoderOptions,
  Frame,
  frameOf,
  type Peer,
  StompError,
  type Version,
} from '../../stomp/index.ts';

const bytes = (text: string) => new TextEncoder().encode(text);
const text = (octets: Uint8Array) => new TextDecoder().decode(octets);
const client = (options: Partial<DecoderOptions> = {}) => new Decoder({ peer: 'client', ...options });
const server = (options: Partial<DecoderOptions> = {}) => new Decoder({ peer: 'server', ...options });

/** What a push gave, readable: each frame as its raw text. */
function shown(found: (Frame | 'beat')[]): string[] {
  return found.map((item) => (item === 'beat' ? 'beat' : text(item.bytes)));
}

function oneFrame(decoder: Decoder, wire: string): Frame {
  const [frame] = decoder.push(bytes(wire));
  if (!(frame instanceof Frame)) throw new Error(`no frame, but ${decoder.error?.message}`);
  return frame;
}

function errorOf(decoder: Decoder, wire: string): string | undefined {
  expect(decoder.push(bytes(wire))).toEqual([]);
  return decoder.error?.code;
}

describe('frames and chunks', () => {
  const one = 'SEND\ndestination:/queue/a\n\none\0';
  const two = 'SEND\ndestination:/queue/b\n\ntwo\0';

  test('a frame is told with command, headers, body and its raw octets', () => {
    const frame = oneFrame(client(), one);
    expect([frame.command, frame.header('destination'), text(frame.body)]).toEqual(['SEND', '/queue/a', 'one']);
    expect(text(frame.bytes)).toBe(one);
  });

  test('several frames of one chunk come in order', () => {
    expect(shown(client().push(bytes(one + two)))).toEqual([one, two]);
  });

  test('a frame over several chunks comes with the chunk that ends it', () => {
    const decoder = client();
    expect(decoder.push(bytes('SEND\ndest'))).toEqual([]);
    expect(decoder.bufferedBytes).toBe(9);
    expect(decoder.push(bytes('ination:/queue/a\n\no'))).toEqual([]);
    expect(shown(decoder.push(bytes(`ne\0${two}SE`)))).toEqual([one, two]);
    expect(decoder.bufferedBytes).toBe(2);
  });

  test('one octet at a time', () => {
    const decoder = client();
    const found = [...bytes(one + two)].flatMap((octet) => decoder.push(Uint8Array.of(octet)));
    expect(shown(found)).toEqual([one, two]);
    expect(decoder.bufferedBytes).toBe(0);
  });

  test('an empty chunk changes nothing', () => {
    const decoder = client();
    expect(decoder.push(new Uint8Array(0))).toEqual([]);
    expect(decoder.error).toBeUndefined();
  });

  test('a frame that lies whole in a chunk is a view of it, one that does not is a copy', () => {
    const decoder = client();
    const chunk = bytes(`${one}${two.slice(0, 9)}`);
    const [whole] = decoder.push(chunk);
    const [parted] = decoder.push(bytes(two.slice(9)));
    expect(whole instanceof Frame && whole.bytes.buffer).toBe(chunk.buffer);
    chunk.fill(0);
    expect(parted instanceof Frame && text(parted.bytes)).toBe(two);
  });

  test('a frame that was gathered keeps its octets while the next one is gathered', () => {
    const decoder = client();
    decoder.push(bytes(one.slice(0, 5)));
    const [first] = decoder.push(bytes(one.slice(5)));
    decoder.push(bytes(two.slice(0, 5)));
    decoder.push(bytes(two.slice(5)));
    expect(first instanceof Frame && text(first.bytes)).toBe(one);
  });

  test('a large frame in single octets is copied in proportion to its size', () => {
    const whole = bytes(`SEND\ndestination:/queue/a\n\n${'x'.repeat(60_000)}\0`);
    const copy = vi.spyOn(Uint8Array.prototype, 'set');
    const decoder = client();
    const found = [...whole].flatMap((octet) => decoder.push(Uint8Array.of(octet)));
    const copied = copy.mock.calls.reduce((sum, [source]) => sum + source.length, 0);
    copy.mockRestore();
    expect(found).toHaveLength(1);
    expect(copied).toBeLessThan(3 * whole.length);
  });
});

describe('heart-beats', () => {
  test.each([
    ['LF', '\n', ['beat']],
    ['CR LF', '\r\n', ['beat']],
    ['many line ends are one beat', '\n\n\r\n\n', ['beat']],
    ['before a frame', '\nACK\nid:1\n\n\0', ['beat', 'ACK\nid:1\n\n\0']],
    ['after a frame', 'ACK\nid:1\n\n\0\n', ['ACK\nid:1\n\n\0', 'beat']],
    ['once for a chunk', '\nACK\nid:1\n\n\0\nACK\nid:2\n\n\0\n', ['beat', 'ACK\nid:1\n\n\0', 'ACK\nid:2\n\n\0']],
  ])('%s', (_, wire, expected) => {
    expect(shown(client().push(bytes(wire)))).toEqual(expected);
  });

  test('line ends inside a frame are no beat', () => {
    const decoder = client();
    decoder.push(bytes('SEND\n'));
    expect(decoder.push(bytes('\n\n\n'))).toEqual([]);
  });

  test('CR LF between two chunks', () => {
    const decoder = client({ version: '1.1' });
    expect([...decoder.push(bytes('\r')), ...decoder.push(bytes('\n'))]).toEqual(['beat', 'beat']);
    expect(decoder.error).toBeUndefined();
  });
});

describe('commands', () => {
  const ofClient = 'CONNECT STOMP SEND SUBSCRIBE UNSUBSCRIBE ACK NACK BEGIN COMMIT ABORT DISCONNECT'.split(' ');
  const ofServer = 'CONNECTED MESSAGE RECEIPT ERROR'.split(' ');

  test.each(ofClient)('%s is spoken by clients only', (command) => {
    expect(oneFrame(client(), `${command}\n\n\0`).command).toBe(command);
    expect(errorOf(server(), `${command}\n\n\0`)).toBe('unknown-command');
  });

  test.each(ofServer)('%s is spoken by servers only', (command) => {
    expect(oneFrame(server(), `${command}\n\n\0`).command).toBe(command);
    expect(errorOf(client(), `${command}\n\n\0`)).toBe('unknown-command');
  });

  test.each(['send\n', 'SEND \n', ' SEND\n', 'SENDX\n', 'SEN\n', 'SEND\0', '\0', 'GET / HTTP/1.1\r\n', '\ufeffSEND\n'])(
    '%j is none',
    (wire) => expect(errorOf(client(), `${wire}\n\0`)).toBe('unknown-command'),
  );

  test('a line that is too long for a command is refused before its end', () => {
    expect(client().push(bytes('UNSUBSCRIBE\r'))).toEqual([]);
    const decoder = client();
    decoder.push(bytes('UNSUBSCRIBE\r'));
    expect(decoder.error).toBeUndefined();
    expect(errorOf(decoder, 'x')).toBe('unknown-command');
  });

  test('the error quotes words, and nothing else', () => {
    const messageOf = (wire: string) => {
      const decoder = client();
      decoder.push(bytes(wire));
      return decoder.error?.message;
    };
    expect(messageOf('HELLO\n')).toBe("expected a STOMP client frame, found an unknown command 'HELLO'");
    expect(messageOf('s3cret!\n')).toBe('expected a STOMP client frame, found an unknown command');
  });
});

describe('line ends', () => {
  const wire = 'SEND\r\ndestination:/a\r\n\r\nbody\0';

  test('1.2 takes CR LF, and the raw lines are without either', () => {
    const frame = oneFrame(client({ version: '1.2' }), wire);
    expect(frame.header('destination')).toBe('/a');
    expect(Array.from(frame.headerLines(), text)).toEqual(['destination:/a']);
    expect(text(frame.body)).toBe('body');
    expect(text(frame.bytes)).toBe(wire);
  });

  test.each(['1.0', '1.1'] as const)('in %s a CR belongs to the line', (version) => {
    expect(errorOf(client({ version }), wire)).toBe('unknown-command');
    expect(errorOf(client({ version }), 'SEND\na:b\n\r\nbody\0')).toBe('bad-header');
    expect(oneFrame(client({ version }), 'SEND\na:b\r\n\n\0').header('a')).toBe('b\r');
  });

  test('a body may begin with a line end', () => {
    expect(text(oneFrame(client(), 'SEND\n\n\r\nx\0').body)).toBe('\r\nx');
  });
});

describe('content-length', () => {
  const octets = (frame: Frame) => [...frame.body];

  test('a body with NULs', () => {
    const decoder = client();
    const frame = oneFrame(decoder, 'SEND\ncontent-length:5\n\n\0a\0b\0\0');
    expect(octets(frame)).toEqual([0, 97, 0, 98, 0]);
    expect(decoder.bufferedBytes).toBe(0);
  });

  test('counts octets, not characters', () => {
    expect(text(oneFrame(client(), 'SEND\ncontent-length:5\n\né€\0').body)).toBe('é€');
  });

  test('may stand on frames without a body when it is 0', () => {
    expect(oneFrame(client(), 'ACK\nid:1\ncontent-length:0\n\n\0').body).toHaveLength(0);
  });

  test.each([
    ['a wrong one', 'SEND\ncontent-length:2\n\nabc\0', 'missing-nul'],
    ['not a number', 'SEND\ncontent-length:x\n\n\0', 'bad-content-length'],
    ['empty', 'SEND\ncontent-length:\n\n\0', 'bad-content-length'],
    ['negative', 'SEND\ncontent-length:-1\n\n\0', 'bad-content-length'],
    ['signed', 'SEND\ncontent-length:+1\n\na\0', 'bad-content-length'],
    ['hexadecimal', 'SEND\ncontent-length:0x1\n\na\0', 'bad-content-length'],
    ['with a blank', 'SEND\ncontent-length: 1\n\na\0', 'bad-content-length'],
    ['two that differ', 'SEND\ncontent-length:1\ncontent-length:2\n\na\0', 'bad-content-length'],
    ['beyond every limit', `SEND\ncontent-length:${'9'.repeat(400)}\n\na\0`, 'frame-too-large'],
  ])('of a client: %s', (_, wire, code) => {
    expect(errorOf(client(), wire)).toBe(code);
  });

  test('two that are equal are one', () => {
    expect(octets(oneFrame(client(), 'SEND\ncontent-length:1\ncontent-length:1\n\n\0\0'))).toEqual([0]);
  });

  test('1.0 trims values, this one too', () => {
    expect(octets(oneFrame(client({ version: '1.0' }), 'SEND\ncontent-length: 1 \n\n\0\0'))).toEqual([0]);
  });

  test('of a server: blanks are forgiven, the first of several counts', () => {
    const wire = 'MESSAGE\ncontent-length: 1\ncontent-length:7\n\n\0\0';
    expect(octets(oneFrame(server(), wire))).toEqual([0]);
    expect(errorOf(server(), 'MESSAGE\ncontent-length:one\n\n\0')).toBe('bad-content-length');
  });

  test('other spellings are other headers', () => {
    expect(text(oneFrame(client(), 'SEND\nContent-Length:9\n\nab\0').body)).toBe('ab');
  });
});

describe('what clients may not say, and servers may', () => {
  const cases: [what: string, version: Version, frame: string, code: string][] = [
    ['a body where none may be', '1.2', '\na:b\n\nbody\0', 'unexpected-body'],
    ['a counted body where none may be', '1.2', '\ncontent-length:4\n\nbody\0', 'unexpected-body'],
    ['an undefined escape in 1.2', '1.2', '\na:\\t\n\n\0', 'bad-escape'],
    ['an undefined escape in a name', '1.2', '\n\\t:a\n\n\0', 'bad-escape'],
    ['an escape cut off', '1.2', '\na:b\\\n\n\0', 'bad-escape'],
    ['an escape cut off at the colon', '1.2', '\na\\:b\n\n\0', 'bad-escape'],
    ['\\r in 1.1', '1.1', '\na:\\r\n\n\0', 'bad-escape'],
    ['an empty name', '1.1', '\n:b\n\n\0', 'bad-header'],
    ['a CR inside a line in 1.2', '1.2', '\na:b\rc\n\n\0', 'bad-header'],
    ['blanks round a name in 1.0', '1.0', '\ndestination :b\n\n\0', 'bad-header'],
    ['a blank before a name in 1.0', '1.0', '\n\tdestination:b\n\n\0', 'bad-header'],
  ];

  test.each(cases)('%s', (_, version, wire, code) => {
    expect(errorOf(client({ version }), `SUBSCRIBE${wire}`)).toBe(code);
    expect(oneFrame(server({ version }), `RECEIPT${wire}`).command).toBe('RECEIPT');
  });

  test.each(cases)('%s: the option strict turns it round', (_, version, wire, code) => {
    expect(oneFrame(client({ version, strict: false }), `SUBSCRIBE${wire}`).command).toBe('SUBSCRIBE');
    expect(errorOf(server({ version, strict: true }), `RECEIPT${wire}`)).toBe(code);
  });

  test('escapes that the version defines are right', () => {
    expect(oneFrame(client({ version: '1.2' }), 'SEND\na:\\n\\c\\\\\\r\n\n\0').header('a')).toBe('\n:\\\r');
    expect(oneFrame(client({ version: '1.1' }), 'SEND\na:\\n\\c\\\\\n\n\0').header('a')).toBe('\n:\\');
    expect(oneFrame(client({ version: '1.0' }), 'SEND\na:\\t\n\n\0').header('a')).toBe('\\t');
  });

  test.each(['CONNECT', 'STOMP'])('%s has no escapes, so no wrong ones', (command) => {
    expect(oneFrame(client(), `${command}\npasscode:a\\tb\\\n\n\0`).header('passcode')).toBe('a\\tb\\');
  });
});

describe('what nobody may say', () => {
  const cases: [what: string, frame: string, code: string][] = [
    ['a header without a colon', 'a:b\nnothing\n\n\0', 'bad-header'],
    ['a NUL in a header', 'a:\0b\n\n\0', 'bad-header'],
    ['a NUL instead of the blank line', 'a:b\n\0', 'bad-header'],
    ['a NUL instead of headers', '\0', 'bad-header'],
  ];

  test.each(cases)('%s', (_, rest, code) => {
    expect(errorOf(client(), `SEND\n${rest}`)).toBe(code);
    expect(errorOf(server(), `MESSAGE\n${rest}`)).toBe(code);
  });
});

describe('limits', () => {
  const limits = { maxFrameBytes: 40, maxHeaderBytes: 20, maxHeaders: 3 };
  /** Pushed whole and octet by octet: the answer must be the same. */
  function outcome(wire: string): string | undefined {
    const whole = client({ limits });
    const parted = client({ limits });
    const found = whole.push(bytes(wire)).length;
    expect([...bytes(wire)].flatMap((octet) => parted.push(Uint8Array.of(octet)))).toHaveLength(found);
    expect(parted.error?.message).toBe(whole.error?.message);
    return found === 1 ? 'frame' : whole.error?.code;
  }
  const body = (size: number) => `SEND\na:b\n\n${'x'.repeat(size - 11)}\0`;
  const counted = (size: number) => `SEND\ncontent-length:${size - 25}\n\n${'x'.repeat(size - 25)}\0`;
  const header = (size: number, end: string) => `SEND\na:${'x'.repeat(size - 3)}\n${end}\0`;
  const headers = (count: number) => `SEND\n${'a:b\n'.repeat(count)}\n\0`;

  test.each([
    ['frame, n-1', body(39), 'frame'],
    ['frame, n', body(40), 'frame'],
    ['frame, n+1', body(41), 'frame-too-large'],
    ['frame with content-length, n-1', counted(39), 'frame'],
    ['frame with content-length, n', counted(40), 'frame'],
    ['frame with content-length, n+1', counted(41), 'frame-too-large'],
    ['header octets, n-1', header(19, '\n'), 'frame'],
    ['header octets, n', header(20, '\n'), 'frame'],
    ['header octets, n, with CR LF', header(20, '\r\n'), 'frame'],
    ['header octets, n+1', header(21, '\n'), 'header-too-large'],
    ['headers, n-1', headers(2), 'frame'],
    ['headers, n', headers(3), 'frame'],
    ['headers, n+1', headers(4), 'too-many-headers'],
  ])('%s', (_, wire, expected) => {
    expect(outcome(wire)).toBe(expected);
  });

  test('a content-length over the limit is refused before the body comes', () => {
    expect(errorOf(client({ limits }), 'SEND\ncontent-length:16\n\n')).toBe('frame-too-large');
  });

  test('a frame without an end is refused once it is over the limit, and its memory let go', () => {
    const decoder = client({ limits });
    decoder.push(bytes('SEND\n\n'));
    decoder.push(bytes('x'.repeat(34)));
    expect([decoder.error, decoder.bufferedBytes]).toEqual([undefined, 40]);
    decoder.push(bytes('x'));
    expect([decoder.error?.code, decoder.bufferedBytes]).toEqual(['frame-too-large', 0]);
  });

  test('a header line without an end is refused once it is over the limit', () => {
    const decoder = client({ limits });
    decoder.push(bytes(`SEND\n${'x'.repeat(21)}`));
    expect(decoder.error).toBeUndefined();
    expect(errorOf(decoder, 'x')).toBe('header-too-large');
  });

  test('the limit of the frame holds for its headers too', () => {
    const decoder = client({ limits: { maxFrameBytes: 20, maxHeaderBytes: 100 } });
    expect(errorOf(decoder, `SEND\na:${'x'.repeat(20)}\n`)).toBe('frame-too-large');
  });

  test.each([0, -1, 1.5, Number.NaN])('%d is no limit', (limit) => {
    expect(() => client({ limits: { maxHeaders: limit } })).toThrow(RangeError);
  });

  test('the defaults let a body of 64 KiB pass', () => {
    const decoder = client();
    decoder.push(bytes(`SEND\ndestination:/a\ncontent-length:65536\n\n`));
    expect(decoder.push(new Uint8Array(65_537))).toHaveLength(1);
  });
});

describe('after an error', () => {
  test('the frames before it are told, later octets are not read', () => {
    const decoder = client();
    expect(shown(decoder.push(bytes('ACK\nid:1\n\n\0\nGARBAGE\nACK\nid:2\n\n\0')))).toEqual([
      'ACK\nid:1\n\n\0',
      'beat',
    ]);
    const { error } = decoder;
    expect(error).toBeInstanceOf(StompError);
    expect(decoder.push(bytes('ACK\nid:3\n\n\0'))).toEqual([]);
    expect(decoder.error).toBe(error);
  });
});

describe('the version', () => {
  test('holds for frames that begin after it was set', () => {
    const decoder = client();
    decoder.push(bytes('SEND\na: b '));
    decoder.version = '1.0';
    const [first, second] = decoder.push(bytes('\n\n\0SEND\na: b \n\n\0'));
    expect(first instanceof Frame && [first.version, first.header('a')]).toEqual(['1.2', ' b ']);
    expect(second instanceof Frame && [second.version, second.header('a')]).toEqual(['1.0', 'b']);
  });
});

describe('frameOf', () => {
  const codeOf = (wire: string, peer: Peer = 'client') => {
    try {
      return frameOf(bytes(wire), peer).command;
    } catch (error) {
      return error instanceof StompError ? error.code : error;
    }
  };

  test.each([
    ['one frame', 'ACK\nid:1\n\n\0', 'ACK'],
    ['line ends round it', '\nACK\nid:1\n\n\0\r\n', 'ACK'],
    ['nothing', '', 'missing-nul'],
    ['a part', 'ACK\nid', 'missing-nul'],
    ['a frame and a part', 'ACK\nid:1\n\n\0AC', 'missing-nul'],
    ['two frames', 'ACK\nid:1\n\n\0ACK\nid:2\n\n\0', 'unexpected-body'],
    ['garbage', 'HELLO\n\n\0', 'unknown-command'],
    ['a frame and garbage', 'ACK\nid:1\n\n\0HELLO\n', 'unknown-command'],
  ])('%s', (_, wire, expected) => {
    expect(codeOf(wire)).toBe(expected);
  });

  test('knows no limits', () => {
    expect(codeOf(`SEND\n${'a:b\n'.repeat(1000)}\n${'x'.repeat(200_000)}\0`)).toBe('SEND');
  });
});

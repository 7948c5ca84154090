/** Pieces that make STOMP frames, and what is nearly one. */
import fc from 'fast-check';

const piece = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.constantFrom(
      '\n',
      '\n',
      '\0',
      'a:b\n',
      'receipt:1\n',
      'holdfast-id:x\n',
      'subscription:s 1\n',
      'b:\n',
      'é:w\n',
      'body',
    ),
  },
  { weight: 3, arbitrary: fc.constantFrom('content-length:4\n', 'content-length:0\n', 'content-length:004\n') },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      '\r',
      '\\',
      ':',
      ' ',
      '\t',
      'content-length: 4\n',
      'content-length:x\n',
      ':b\n',
      'a: b\n',
      'b:é\n',
    ),
  },
);

/** Often a frame, or nearly; rarely one that a decoder takes. */
export const frameText = fc
  .tuple(
    fc.constantFrom('MESSAGE\n', 'SEND\n', 'MESSAGE', ''),
    fc.array(piece, { maxLength: 8 }),
    fc.constantFrom('\0', '\n\0', '\n\nbody\0', ''),
  )
  .map(([command, pieces, end]) => `${command}${pieces.join('')}${end}`);

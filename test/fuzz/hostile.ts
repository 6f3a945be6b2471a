import fc from 'fast-check';

/** Text that programs stumble over: where bytes, characters and lengths differ, and what others take for code. */
export const hostileText: fc.Arbitrary<string> = fc.oneof(
  { weight: 8, arbitrary: fc.constantFrom(...oddTexts()) },
  { weight: 2, arbitrary: fc.string({ unit: 'binary', maxLength: 40 }) },
  { weight: 2, arbitrary: fc.string({ unit: 'grapheme', maxLength: 40 }) },
  // Around the lengths at which schemas, pages and columns end.
  {
    weight: 1,
    arbitrary: fc
      .constantFrom(100, 199, 200, 201, 500, 501, 2_001, 10_001, 100_001)
      .map((length) => 'x'.repeat(length)),
  },
);

function oddTexts(): string[] {
  return [
    ...['', ' ', '\n', '\t', '\0', 'a\0b', '\u0001\u001b[31m', '\u007f', '\ufeff', '\u200b', '\u202e', '\uffff'],
    // Halves of surrogate pairs, alone, in the wrong order, and beside a whole one.
    ...['\ud800', '\udfff', 'a\ud800', '\udc00\ud800', '\ud83d\ude00\ud83d'],
    ...['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty', 'valueOf', 'then', 'length'],
    ...['0', '1', '-1', '007', '1e3', '0x10', '1.0', 'NaN', 'Infinity', 'null', 'undefined', 'true', '[object Object]'],
    ...['9007199254740993', '99999999999999999999999', '%', '%00', '%E0%A4%A', '{{results}}', '{{x}}', '$HOME'],
    ...[
      "' or 1=1; --",
      '"; drop table tasks; --',
      '*',
      '[',
      'a*b?c',
      '\\',
      '../../etc/passwd',
      '/etc/passwd',
      '-',
      '--',
    ],
    ...['</result>', '<script>', '[[model {"status":500}]]', '{"a":', '[', 'http://127.0.0.1:1/', 'file:///etc/passwd'],
    ...['2026-02-30T00:00:00Z', '0000-01-01T00:00:00Z', '9999-12-31T23:59:59Z', '+275760-09-13T00:00:00Z', 'now'],
  ];
}

export const hostileNumber: fc.Arbitrary<number> = fc.constantFrom(
  ...[0, -0, 1, -1, 0.5, 1.5, 255, 256, 65_536, 1e-7, 5e-324, 1e21, 1e300, Number.MAX_VALUE],
  ...[2 ** 31 - 1, 2 ** 31, -(2 ** 31) - 1, 2 ** 32, 2 ** 53 - 1, 2 ** 53, -(2 ** 53), 2 ** 63, 1e12, 1e12 + 1],
);

/** An object with keys that belong to every object. `JSON.parse` makes an own key of `__proto__`, a literal does not. */
const prototypeKeys = fc
  .constantFrom('__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty', '')
  .chain((key) =>
    fc.constantFrom('1', '{}', 'null', '{"polluted":true}', '[]').map((value) => JSON.parse(`{"${key}":${value}}`)),
  );

/** Deeper than `JSON.stringify` goes itself: `encode` writes it where such a text stands. */
const deep = fc
  .tuple(fc.constantFrom('list', 'object'), fc.constantFrom(10, 60, 200, 1_000, 10_000, 100_000))
  .map(([kind, depth]) => `@deep ${kind} ${depth}`);

/** A value as JSON, with the depth that its texts ask for. */
export function encode(value: unknown): string {
  return (JSON.stringify(value) ?? '').replaceAll(/"@deep (list|object) (\d+)"/g, (_, kind: string, depth: string) => {
    const [open, close] = kind === 'list' ? ['[', ']'] : ['{"a":', '}'];
    return `${open.repeat(Number(depth))}1${close.repeat(Number(depth))}`;
  });
}

const wide = fc.constantFrom(1_001, 5_000).map((size): unknown => Array.from({ length: size }, (_, index) => index));

/** Any JSON that nobody expects. */
export const hostileValue: fc.Arbitrary<unknown> = fc.oneof(
  { weight: 6, arbitrary: hostileText },
  { weight: 4, arbitrary: hostileNumber },
  { weight: 3, arbitrary: fc.constantFrom<unknown>(null, true, false, [], {}, [[]], [null], [{}], { a: [] }, {}) },
  { weight: 2, arbitrary: prototypeKeys },
  { weight: 1, arbitrary: deep },
  { weight: 1, arbitrary: wide },
  { weight: 2, arbitrary: fc.jsonValue({ maxDepth: 3 }) },
);

/** A name that is nearly another: for tools and their arguments. */
export const nearMiss = (name: string): fc.Arbitrary<string> =>
  fc.constantFrom(
    name.toUpperCase(),
    name.replaceAll('_', '-'),
    name.replaceAll('_', ''),
    name.replace(/_(.)/g, (_, letter: string) => letter.toUpperCase()),
    `${name}s`,
    name.slice(1),
    name.slice(0, -1),
    ` ${name}`,
    `${name}\0`,
    `agent-runtime__${name}`,
    '__proto__',
    'constructor',
    'toString',
    '',
  );

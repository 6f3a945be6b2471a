import { closeSync, openSync, readSync } from 'node:fs';
import { RuntimeError } from './errors.js';

/** Of a file or a pipe whose text is the input of one call. */
export const mostInputBytes = 32 * 1024 * 1024;

const pieceBytes = 256 * 1024;

/**
 * The text of a file, read no further than the limit: a file may grow, and a device has no end. Throws `invalid` for a
 * longer one, naming it as `name`, and the system's error for one that cannot be read.
 */
export function readUpTo(path: string, name: string, most = mostInputBytes): string {
  const descriptor = openSync(path, 'r');
  try {
    const pieces: Buffer[] = [];
    for (let total = 0; ; ) {
      const piece = Buffer.allocUnsafe(pieceBytes);
      const size = readSync(descriptor, piece, 0, pieceBytes, null);
      if (size === 0) return Buffer.concat(pieces).toString('utf8');
      total += size;
      if (total > most) throw tooLong(name, most);
      pieces.push(piece.subarray(0, size));
    }
  } finally {
    closeSync(descriptor);
  }
}

/** The same for a stream, such as stdin. */
export async function readStreamUpTo(
  stream: AsyncIterable<Buffer>,
  name: string,
  most = mostInputBytes,
): Promise<string> {
  const pieces: Buffer[] = [];
  let total = 0;
  for await (const piece of stream) {
    total += piece.length;
    if (total > most) throw tooLong(name, most);
    pieces.push(piece);
  }
  return Buffer.concat(pieces).toString('utf8');
}

const tooLong = (name: string, most: number) =>
  new RuntimeError('invalid', `${name} has more than ${most} bytes.`, 'Give less, or several calls.');

/** A line that was too long to keep: its size in bytes and both of its ends. */
export interface Oversize {
  oversize: number;
  head: string;
  tail: string;
}

export type ReadLine = { text: string } | Oversize;

/** How much of both ends of an oversize line is kept: enough to find the id of its request. */
const endBytes = 512;

/**
 * Splits a stream of bytes into lines. The pieces of a line are joined once, when it is complete: joining at each piece
 * would copy a result of some megabytes hundreds of times. A line over `limitBytes` is not held in memory.
 */
export function createLineReader(limitBytes: number, onLine: (line: ReadLine) => void): (piece: Buffer) => void {
  let pieces: Buffer[] = [];
  let size = 0;
  let head: Buffer | undefined;

  function keep(piece: Buffer): void {
    size += piece.length;
    pieces.push(piece);
    if (size <= limitBytes && head === undefined) return;
    const held = Buffer.concat(pieces);
    head ??= held.subarray(0, endBytes);
    pieces = [Buffer.from(held.subarray(-endBytes))];
  }

  function end(): void {
    const held = pieces.length === 1 && pieces[0] ? pieces[0] : Buffer.concat(pieces);
    if (head) onLine({ oversize: size, head: head.toString(), tail: held.toString() });
    else if (size > 0) onLine({ text: held.toString().replace(/\r$/, '') });
    pieces = [];
    size = 0;
    head = undefined;
  }

  return (piece) => {
    let from = 0;
    for (let to = piece.indexOf(10); to !== -1; to = piece.indexOf(10, from)) {
      if (to > from) keep(piece.subarray(from, to));
      end();
      from = to + 1;
    }
    if (from < piece.length) keep(piece.subarray(from));
  };
}

/**
 * The id of the JSON-RPC message that an oversize line holds: among its first members, or its last. A name in quotes
 * cannot stand inside a text, where quotes are escaped, and the end of the line closes the message itself.
 */
export function idIn({ head, tail }: Oversize): string | number | undefined {
  const found = idFirst.exec(head)?.[1] ?? idLast.exec(tail)?.[1];
  return found === undefined ? undefined : (JSON.parse(found) as string | number);
}

const id = String.raw`"id"\s*:\s*("(?:[^"\\\x00-\x1f]|\\["\\/bfnrt])*"|0|[1-9]\d{0,15})`;
const scalar = String.raw`"\w+"\s*:\s*"[^"\\]*"`;
const idFirst = new RegExp(String.raw`^\s*\{\s*(?:${scalar}\s*,\s*)*${id}\s*,`);
const idLast = new RegExp(String.raw`,\s*${id}\s*(?:,\s*${scalar}\s*)*\}\s*$`);

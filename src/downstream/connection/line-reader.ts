/** One line, or what is left of one that was too long to keep. */
export type ReadLine = { text: string } | { oversize: number; head: string; tail: string };

/** How much of both ends of an oversize line is kept: enough to find the id of the request that it answers. */
const endBytes = 512;

/**
 * Cuts a stream of bytes into lines. A line is put together once, when it is whole: joining at each piece copies a
 * result of some megabytes hundreds of times. One over `limitBytes` is passed over without being held.
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

import { closeSync, openSync, readSync, statSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { systemCode } from '../../base/network-error.js';

/** What SQLite will leave out of a write-ahead log, without a word. */
export interface WalDamage {
  /** The first frame that does not fit its checksum, counted from 1; 0 for the header. */
  frame: number;
  /** The transactions that ended at it or after it: they were committed and are ignored. Unknown if the header is damaged. */
  lostTransactions: number | undefined;
}

/** The layout of a write-ahead log: sqlite.org/fileformat2.html, 4.1. */
const headerBytes = 32;
const frameHeaderBytes = 24;
/** Longer than the log may become; checking 4 MB takes some 10 ms. */
const mostBytes = 128 * 1024 * 1024;
const lookAgainMs = 20;

/**
 * Looks for damage in the write-ahead log before SQLite opens it: SQLite reads it up to the first frame that does not fit
 * its checksum, and drops the rest. A write that was cut off by a kill looks the same, but no commit follows it; damage to
 * the very last transaction can therefore not be told from that. Seen twice, as another process may be writing to it.
 * SQLite holds no lock on the log itself, only on the database and its -shm, so closing this descriptor drops none.
 */
export async function findWalDamage(file: string): Promise<WalDamage | undefined> {
  const first = inspect(`${file}-wal`);
  if (!first) return undefined;
  await sleep(lookAgainMs);
  const second = inspect(`${file}-wal`);
  return second?.frame === first.frame && second.generation === first.generation ? first : undefined;
}

export function explainWalDamage({ frame, lostTransactions }: WalDamage): string {
  const place = frame === 0 ? 'in its header' : `at frame ${frame}`;
  const lost = lostTransactions === undefined ? 'all that it held is' : `its last ${lostTransactions} transactions are`;
  return `The write-ahead log was damaged ${place}: ${lost} lost.`;
}

function inspect(path: string): (WalDamage & { generation: string }) | undefined {
  const log = readLog(path);
  if (!log || log.length <= headerBytes + frameHeaderBytes) return undefined;
  const generation = log.toString('hex', 16, 24);
  const magic = log.readUInt32BE(0);
  const pageBytes = log.readUInt32BE(8) || 65_536;
  const sum = checksum(log, 0, 24, magic === 0x377f0682, [0, 0]);
  const isKnown = (magic === 0x377f0682 || magic === 0x377f0683) && pageBytes >= 512 && pageBytes <= 65_536;
  if (!isKnown || !fits(log, 24, sum)) return { frame: 0, lostTransactions: undefined, generation };
  const frameBytes = frameHeaderBytes + pageBytes;
  const frames = Math.floor((log.length - headerBytes) / frameBytes);
  const at = (frame: number) => headerBytes + (frame - 1) * frameBytes;
  const isOfThis = (frame: number) => log.toString('hex', at(frame) + 8, at(frame) + 16) === generation;
  let before = sum;
  for (let frame = 1; frame <= frames; frame++) {
    const head = checksum(log, at(frame), 8, magic === 0x377f0682, before);
    before = checksum(log, at(frame) + frameHeaderBytes, pageBytes, magic === 0x377f0682, head);
    if (isOfThis(frame) && fits(log, at(frame) + 16, before)) continue;
    // The second word of a frame that ends a transaction is the size of the database after it.
    const ends = (which: number) => isOfThis(which) && log.readUInt32BE(at(which) + 4) !== 0;
    const later = Array.from({ length: frames - frame }, (_, index) => frame + 1 + index).filter(ends);
    const lostTransactions = later.length + Number(ends(frame));
    return later.length > 0 ? { frame, lostTransactions, generation } : undefined;
  }
  return undefined;
}

function readLog(path: string): Buffer | undefined {
  const size = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  if (size === 0 || size > mostBytes) return undefined;
  const log = Buffer.alloc(size);
  const descriptor = openIfThere(path);
  if (descriptor === undefined) return undefined;
  try {
    return log.subarray(0, readSync(descriptor, log, 0, size, 0));
  } finally {
    closeSync(descriptor);
  }
}

/** Whoever closes the database last removes its log, perhaps just now. */
function openIfThere(path: string): number | undefined {
  try {
    return openSync(path, 'r');
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

type Sum = readonly [number, number];

function checksum(log: Buffer, from: number, bytes: number, isLittle: boolean, [first, second]: Sum): Sum {
  const view = new DataView(log.buffer, log.byteOffset + from, bytes);
  let one = first;
  let two = second;
  for (let place = 0; place < bytes; place += 8) {
    one = (one + view.getUint32(place, isLittle) + two) >>> 0;
    two = (two + view.getUint32(place + 4, isLittle) + one) >>> 0;
  }
  return [one, two];
}

const fits = (log: Buffer, at: number, [one, two]: Sum): boolean =>
  log.readUInt32BE(at) === one && log.readUInt32BE(at + 4) === two;

import { RuntimeError } from '../base/errors.js';

export interface TarEntry {
  /** Its path in the archive. */
  name: string;
  bytes: Uint8Array;
}

const blockBytes = 512;

/**
 * The regular files of a tar archive (POSIX.1-1988, ustar interchange format): blocks of 512 bytes, a header before each
 * file, sizes and checksums in octal. Throws `invalid` for a header that is damaged or a file that is cut short.
 */
export function readTar(archive: Uint8Array): TarEntry[] {
  const entries: TarEntry[] = [];
  let offset = 0;
  while (offset + blockBytes <= archive.length) {
    const header = archive.subarray(offset, offset + blockBytes);
    if (header.every((byte) => byte === 0)) break;
    if (octal(header, 148, 8) !== checksum(header)) throw damaged(offset, 'the checksum of its header is wrong');
    const size = octal(header, 124, 12);
    const start = offset + blockBytes;
    if (start + size > archive.length) throw damaged(offset, `${size} bytes follow in ${archive.length - start}`);
    const [prefix, name] = [text(header, 345, 155), text(header, 0, 100)];
    const kind = header[156];
    // 0 and NUL: a regular file. Directories, links and extended headers hold none.
    if (kind === 0x30 || kind === 0) {
      entries.push({ name: prefix === '' ? name : `${prefix}/${name}`, bytes: archive.subarray(start, start + size) });
    }
    offset = start + Math.ceil(size / blockBytes) * blockBytes;
  }
  return entries;
}

function text(header: Uint8Array, start: number, length: number): string {
  const field = header.subarray(start, start + length);
  const end = field.indexOf(0);
  return Buffer.from(end < 0 ? field : field.subarray(0, end)).toString('utf8');
}

const octal = (header: Uint8Array, start: number, length: number): number =>
  Number.parseInt(text(header, start, length).trim() || '0', 8);

/** The sum of the bytes of a header, those of its own field counted as blanks. */
function checksum(header: Uint8Array): number {
  let sum = 0;
  for (let place = 0; place < blockBytes; place++) sum += place >= 148 && place < 156 ? 0x20 : (header[place] ?? 0);
  return sum;
}

const damaged = (offset: number, problem: string): RuntimeError =>
  new RuntimeError('invalid', `The archive is damaged at byte ${offset}: ${problem}.`, 'Download it again.');

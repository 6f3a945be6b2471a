import { constants } from 'node:fs';
import { type FileHandle, open, realpath } from 'node:fs/promises';
import { isAbsolute, relative, resolve, sep } from 'node:path';
import { systemCode } from '../base/network-error.js';
import { AgentError } from './define-agent.js';

/**
 * The bytes of the regular file `name` in the directory `root`, or undefined when there is no such file.
 *
 * The name may come from a job's payload, so no file outside `root` is ever opened, whether by `..`, by an absolute path
 * or through a symbolic link. The root itself may be a link, and a link to another file of the root is followed.
 *
 * @throws AgentError `FILE_NOT_ALLOWED` (outside the root, not a regular file), `FILE_TOO_LARGE` (over `maxBytes`),
 *   `FILE_NOT_READABLE` (permissions and the like).
 */
export async function readFileInside(root: string, name: string, maxBytes: number): Promise<Buffer | undefined> {
  if (name.includes('\0')) throw notAllowed(name, 'its name holds a NUL byte');
  const path = resolve(root, name);
  // Checked before the disk is read, so that an error never reveals whether a file outside exists.
  if (isOutside(resolve(root), path)) throw notAllowed(path, `it is outside ${root}`);
  try {
    const [realRoot, realFile] = [await realpath(root), await realpath(path)];
    if (isOutside(realRoot, realFile)) throw notAllowed(path, `it leads outside ${root}`);
    // O_NOFOLLOW: the path is resolved, so a link here was put in its place since.
    return await readRegularFile(realFile, maxBytes, constants.O_NOFOLLOW ?? 0);
  } catch (error) {
    const code = systemCode(error);
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    if (code === 'ELOOP') throw notAllowed(path, 'it is a symbolic link that cannot be followed', error);
    if (error instanceof AgentError) throw error;
    throw new AgentError('FILE_NOT_READABLE', `Cannot read ${path}: ${String(error)}.`, false, { cause: error });
  }
}

/**
 * The bytes of a regular file at a path that the user named. Links are followed; a FIFO, device or directory is
 * refused.
 *
 * @throws AgentError `FILE_NOT_ALLOWED`, `FILE_TOO_LARGE`; errors of the file system as they are.
 */
export async function readRegularFile(path: string, maxBytes: number, extraFlags = 0): Promise<Buffer> {
  // O_NONBLOCK: opening a FIFO would otherwise wait for a writer, for ever.
  const file = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0) | extraFlags);
  try {
    const { size } = await statRegular(file, path);
    if (size > maxBytes) {
      throw new AgentError('FILE_TOO_LARGE', `${path} has ${size} bytes; at most ${maxBytes} are read.`);
    }
    return await readBytes(file, size);
  } finally {
    await file.close();
  }
}

async function statRegular(file: FileHandle, path: string) {
  const stat = await file.stat();
  if (!stat.isFile()) throw notAllowed(path, 'it is not a regular file');
  return stat;
}

// At most `size` bytes, so that a growing file cannot pass the limit.
async function readBytes(file: FileHandle, size: number): Promise<Buffer> {
  const bytes = Buffer.alloc(size);
  let length = 0;
  while (length < size) {
    const { bytesRead } = await file.read(bytes, length, size - length, length);
    if (bytesRead === 0) break;
    length += bytesRead;
  }
  return bytes.subarray(0, length);
}

function isOutside(root: string, path: string): boolean {
  const route = relative(root, path);
  return route === '' || route === '..' || route.startsWith(`..${sep}`) || isAbsolute(route);
}

function notAllowed(path: string, reason: string, cause?: unknown): AgentError {
  return new AgentError('FILE_NOT_ALLOWED', `${JSON.stringify(path)} is not read: ${reason}.`, false, { cause });
}

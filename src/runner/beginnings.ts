import { closeSync, openSync, readFileSync, renameSync, rmSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { makePrivateDirectory } from '../base/private-files.js';

/** A record beyond this size is written anew, with what is still open alone. */
const longBytes = 64 * 1024;

const fileOf = (dataDir: string, runnerId: string): string => join(dataDir, 'logs', `${runnerId}.begun`);

/**
 * The tokens of the attempts that a runner has begun, in a file that outlives it however it ends. A runner claims more jobs
 * than it begins at once; those that are not in its file go back into the queue as if they had not been claimed. It is not
 * synced, as it is of no use after the host's own end. Without the file every claimed job counts as begun.
 */
export class Beginnings {
  readonly #path: string;
  /** Begun, and the outcome not yet in the database. */
  readonly #open = new Set<string>();
  #file: number | undefined;
  #bytes = 0;

  constructor(dataDir: string, runnerId: string) {
    this.#path = fileOf(dataDir, runnerId);
    this.#try(() => {
      makePrivateDirectory(dirname(this.#path));
      this.#writeAnew();
    });
  }

  /** Call it before any of the agent's code runs. */
  add(token: string): void {
    this.#open.add(token);
    if (this.#file === undefined) return;
    this.#try(() => (this.#bytes > longBytes ? this.#writeAnew() : this.#append(`${token}\n`)));
  }

  /** The outcome is in the database. */
  settle(token: string): void {
    this.#open.delete(token);
  }

  close(): void {
    if (this.#file !== undefined) closeSync(this.#file);
    this.#file = undefined;
    rmSync(this.#path, { force: true });
  }

  #writeAnew(): void {
    const part = `${this.#path}.part`;
    const before = this.#file;
    this.#file = openSync(part, 'w', 0o600);
    if (before !== undefined) closeSync(before);
    this.#bytes = 0;
    this.#append([...this.#open].map((token) => `${token}\n`).join(''));
    renameSync(part, this.#path);
  }

  #append(text: string): void {
    if (this.#file !== undefined && text !== '') this.#bytes += writeSync(this.#file, text);
  }

  /** A record that misses an attempt must not be there at all. */
  #try(write: () => void): void {
    try {
      write();
    } catch {
      try {
        this.close();
      } catch {
        // It stays in a directory that takes no change; the next write would have failed too.
      }
    }
  }
}

/** Whether a runner has a record of what it began, and this attempt is not in it. */
export function hasNeverBegun(dataDir: string, runnerId: string, token: string): boolean {
  try {
    return !readFileSync(fileOf(dataDir, runnerId), 'utf8').split('\n').includes(token);
  } catch {
    return false;
  }
}

/** Removes the record of a runner that is gone. */
export function forgetBeginnings(dataDir: string, runnerId: string): void {
  for (const path of [fileOf(dataDir, runnerId), `${fileOf(dataDir, runnerId)}.part`]) {
    try {
      rmSync(path, { force: true });
    } catch {
      // It is of a runner that never comes back.
    }
  }
}

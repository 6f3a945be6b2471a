import { createHash } from 'node:crypto';
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makePrivateDirectory } from '../../base/private-files.js';
import { version } from '../../base/version.js';
import type { DescribedAgent, ModuleAnswer } from './module-process.js';

/** What a module has said of itself, or why it could not. */
export type Description = { agents: DescribedAgent[] } | { reason: string };

interface Stored {
  /** Another version of this program or of Node may describe it otherwise. */
  by: string;
  /** Hashes of the files that the module is made of, by their absolute paths; null for one that is not there. */
  files: Record<string, string | null>;
  description: Description;
  /** Epoch milliseconds. */
  at: number;
}

/**
 * A failure may lie in what is no file of the module, such as a package that was not installed yet, so it is valid for
 * this long only.
 */
const failureMs = 30_000;

/**
 * The descriptions of modules, kept by the content of their files, in this process and, in a directory, for others: a
 * module that was described once is not loaded again until it changes.
 */
export class Descriptions {
  readonly #directory: string | undefined;
  readonly #known = new Map<string, Stored>();

  /** @param directory where others find them; without one, only this process has them */
  constructor(directory?: string) {
    this.#directory = directory;
  }

  /** What is known of a module as it is now; `isFresh` is false for a failure that may be over by now. */
  find(path: string): { description: Description; isFresh: boolean } | undefined {
    const stored = [this.#known.get(path), this.#read(path)].find((one) => one && isCurrent(one));
    if (!stored) return undefined;
    this.#known.set(path, stored);
    const isFresh = 'agents' in stored.description || Math.abs(Date.now() - stored.at) < failureMs;
    return { description: stored.description, isFresh };
  }

  keep(path: string, answer: ModuleAnswer): Description {
    const description = answer.kind === 'failed' ? { reason: answer.reason } : { agents: answer.agents };
    const files = Object.fromEntries(answer.files.map((file) => [file, hashOf(file)]));
    const stored: Stored = { by: program, files, description, at: Date.now() };
    this.#known.set(path, stored);
    this.#write(path, stored);
    return description;
  }

  #read(path: string): Stored | undefined {
    if (this.#directory === undefined) return undefined;
    try {
      return JSON.parse(readFileSync(this.#fileOf(path, this.#directory), 'utf8')) as Stored;
    } catch {
      // It was never described, or somebody has damaged the file.
      return undefined;
    }
  }

  #write(path: string, stored: Stored): void {
    if (this.#directory === undefined) return;
    const file = this.#fileOf(path, this.#directory);
    const part = `${file}.${process.pid}`;
    try {
      makePrivateDirectory(this.#directory);
      writeFileSync(part, JSON.stringify(stored), { mode: 0o600 });
      renameSync(part, file);
    } catch {
      // A full disk costs others the time to describe it once more.
      rmSync(part, { force: true });
    }
  }

  #fileOf(path: string, directory: string): string {
    return join(directory, `${digest(path).slice(0, 32)}.json`);
  }
}

const program = `${version} ${process.version}`;

function isCurrent({ by, files }: Stored): boolean {
  return by === program && Object.entries(files).every(([file, hash]) => hashOf(file) === hash);
}

function hashOf(file: string): string | null {
  try {
    return digest(readFileSync(file));
  } catch {
    return null;
  }
}

const digest = (data: string | Buffer): string => createHash('sha256').update(data).digest('hex');

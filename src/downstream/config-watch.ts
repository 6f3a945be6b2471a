import { statSync } from 'node:fs';
import type { Clock } from '../base/clock.js';
import { messageOf } from '../base/errors.js';
import type { ConfiguredServers } from '../base/server-settings.js';

export interface ConfigWatchNeeds {
  configPath: string;
  clock: Clock;
  /** What was read when this process began. */
  servers: ConfiguredServers;
  /** Reads the file anew. */
  read(): ConfiguredServers;
}

/** How long a change of the file may go unnoticed while calls are made. */
const freshMs = 500;

/** The servers of the config file, read again when the file has changed. */
export class ConfigWatch {
  readonly #needs: ConfigWatchNeeds;
  #servers: ConfiguredServers;
  #mark: string;
  #lookedAt: number;
  /** Why the file, as it is now, could not be read; the servers are then those of before. */
  #problem: string | undefined;

  constructor(needs: ConfigWatchNeeds) {
    this.#needs = needs;
    this.#servers = needs.servers;
    this.#mark = markOf(needs.configPath);
    this.#lookedAt = needs.clock.tick();
  }

  get servers(): ConfiguredServers {
    return this.#servers;
  }

  /** What is wrong with the file, as it is now, and with entries of it. */
  get problems(): { server: string; problem: string }[] {
    const file =
      this.#problem === undefined
        ? []
        : [{ server: this.#needs.configPath, problem: `as it was before: ${this.#problem}` }];
    const entries = this.#servers.unused.flatMap(({ server, problem }) =>
      problem === undefined ? [] : [{ server, problem: `left out of the config file: ${problem}` }],
    );
    return [...file, ...entries];
  }

  /** Why a server of the file is not used; undefined if it is, and if there is no such entry. */
  whyUnused(server: string): string | undefined {
    const entry = this.#servers.unused.find((unused) => unused.server === server);
    if (!entry) return undefined;
    return entry.problem === undefined ? 'is switched off in the config file' : `is left out: ${entry.problem}`;
  }

  /** Reads the file if it has changed. Returns whether there is anything new. */
  refresh(): boolean {
    const { clock, configPath, read } = this.#needs;
    const now = clock.tick();
    if (now - this.#lookedAt < freshMs) return false;
    this.#lookedAt = now;
    const mark = markOf(configPath);
    if (mark === this.#mark) return false;
    this.#mark = mark;
    try {
      this.#servers = read();
      this.#problem = undefined;
      return true;
    } catch (error) {
      // Somebody may be in the middle of writing it. What is there goes on, and the next change is read again.
      this.#problem = messageOf(error);
      return false;
    }
  }
}

/** Differs after any change of the file, also when an editor has put another one in its place. */
function markOf(path: string): string {
  const found = statSync(path, { throwIfNoEntry: false, bigint: true });
  return found === undefined ? '' : `${found.ino} ${found.size} ${found.mtimeNs}`;
}

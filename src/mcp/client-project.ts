import { realpathSync } from 'node:fs';
import { parse } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import type { Log } from '../base/log.js';
import type { Exchange } from './exchange.js';

export interface ClientProjectNeeds {
  /** The client's own word for it; '' if it gave none. */
  given: string;
  /** What it is where the client names no directory either. */
  otherwise: string;
  /** The project has become known, or another. */
  onChange(project: string): void;
  log: Log;
}

const rootsSchema = z.looseObject({ roots: z.array(z.looseObject({ uri: z.string() })) });

/** A client that declares roots and does not answer should not hold up its calls. */
const patienceMs = 3_000;

/**
 * The directory that the client works in: as its environment says, else the first of the roots that it names (MCP spec
 * 2025-11-25, roots), else the directory in which it started this process.
 */
export class ClientProject {
  readonly #needs: ClientProjectNeeds;
  #asked: Promise<void> | undefined;

  constructor(needs: ClientProjectNeeds) {
    this.#needs = needs;
  }

  /** Asks the client for its roots, once. Later calls wait for the same answer. */
  settle({ peer, ask }: Pick<Exchange, 'peer' | 'ask'>): Promise<void> {
    if (this.#needs.given !== '' || !peer.capabilities?.roots) return Promise.resolve();
    this.#asked ??= this.#askFor(ask);
    return this.#asked;
  }

  /** Waits for the answer, if the client has been asked. */
  async answered(): Promise<void> {
    await this.#asked;
  }

  /** The client has said that its roots are others now. */
  async changed(exchange: Pick<Exchange, 'peer' | 'ask'>): Promise<void> {
    this.#asked = undefined;
    await this.settle(exchange);
  }

  async #askFor(ask: Exchange['ask']): Promise<void> {
    const { log, onChange, otherwise } = this.#needs;
    try {
      const { roots } = rootsSchema.parse(await ask({ method: 'roots/list', params: {} }, patienceMs));
      onChange(directoryOf(roots) ?? otherwise);
    } catch (error) {
      log.warn('the client was asked for its roots, and gave none', { error });
    }
  }
}

function directoryOf(roots: readonly { uri: string }[]): string | undefined {
  const [first] = roots.filter(({ uri }) => uri.startsWith('file:'));
  if (!first || !URL.canParse(first.uri)) return undefined;
  try {
    const path = fileURLToPath(first.uri);
    return path === parse(path).root ? path : path.replace(/[\\/]+$/, '');
  } catch {
    // Of another machine, or of another kind of system.
    return undefined;
  }
}

/** The directory in which a client has started this process, unless it is one where no project can be. */
export function workingProject(home: string): string {
  try {
    const directory = process.cwd();
    const isNone = directory === parse(directory).root || directory === home || directory === realpathSync(home);
    return isNone ? '' : directory;
  } catch {
    // One of the two does not exist, or no longer.
    return '';
  }
}

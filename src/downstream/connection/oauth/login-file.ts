import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { withFileLock } from '../../../base/file-lock.js';
import { newShortId } from '../../../base/ids.js';
import { makePrivateDirectory } from '../../../base/private-files.js';

/** A client as its authorization server knows it. The secret of one that the config file names stays there. */
const clientSchema = z.object({
  client_id: z.string(),
  client_secret: z.string().optional(),
  token_endpoint_auth_method: z.string().optional(),
});

const loginSchema = z.object({
  /** The server's address. A login counts for it alone. */
  url: z.string(),
  /** The server has asked for a login that is not there, or is refused. */
  isWanted: z.boolean().optional(),
  /** What the server has said that a login must allow, when it refused a call for the lack of it. */
  wantedScope: z.string().optional(),
  authorizationServer: z.string().optional(),
  /** What the tokens are for (RFC 8707). */
  resource: z.string().optional(),
  client: clientSchema.optional(),
  tokens: z
    .object({
      access_token: z.string(),
      refresh_token: z.string().optional(),
      scope: z.string().optional(),
      /** From then on a new one is fetched before it is used; in milliseconds since 1970. */
      renewAt: z.number().optional(),
    })
    .optional(),
});

export type StoredClient = z.output<typeof clientSchema>;
export type StoredLogin = z.output<typeof loginSchema>;
export type StoredTokens = NonNullable<StoredLogin['tokens']>;

export interface LoginFileNeeds {
  dataDir: string;
  server: string;
  /** Of the server, placeholders filled in. */
  url: URL;
}

/** The login to one server, in a file that its owner alone can read. All sessions share it, so it is read for each request. */
export class LoginFile {
  readonly server: string;
  readonly url: URL;
  readonly #path: string;

  constructor({ dataDir, server, url }: LoginFileNeeds) {
    this.server = server;
    this.url = url;
    this.#path = join(dataDir, 'oauth', `${server}.json`);
  }

  /** Undefined if there is none, or one to another address. */
  read(): StoredLogin | undefined {
    try {
      const parsed = loginSchema.safeParse(JSON.parse(readFileSync(this.#path, 'utf8')));
      return parsed.success && parsed.data.url === this.url.href ? parsed.data : undefined;
    } catch {
      return undefined;
    }
  }

  /** Replaces it. A reader sees the one before or this one, never a part. */
  write(login: Omit<StoredLogin, 'url'>): void {
    makePrivateDirectory(dirname(this.#path));
    const unfinished = `${this.#path}.${newShortId()}.part`;
    try {
      const text = JSON.stringify({ url: this.url.href, ...login }, null, 2);
      writeFileSync(unfinished, `${text}\n`, { flag: 'wx', flush: true, mode: 0o600 });
      renameSync(unfinished, this.#path);
    } finally {
      rmSync(unfinished, { force: true });
    }
  }

  remove(): void {
    rmSync(this.#path, { force: true });
  }

  /** Runs `body` while no other process changes the login. Throws `unavailable` if that cannot be had. */
  locked<Result>(body: () => Promise<Result>): Promise<Result> {
    return withFileLock(`${this.#path}.lock`, body);
  }

  /** Records whether the server asks for a login, and for what. */
  async mark(isWanted: boolean, wantedScope?: string): Promise<void> {
    const before = this.read();
    const isKnown = wantedScope === undefined || before?.wantedScope === wantedScope;
    if ((before?.isWanted ?? false) === isWanted && isKnown) return;
    await this.locked(async () => {
      const { isWanted: _, ...login }: Partial<StoredLogin> = this.read() ?? {};
      if (isWanted) this.write({ ...login, isWanted, ...(wantedScope !== undefined && { wantedScope }) });
      else if (login.tokens) this.write(login);
      else this.remove();
    });
  }
}

/** What a person does about a server that wants a login. */
export const loginCommand = (server: string): string => `agent-runtime servers login ${server}`;

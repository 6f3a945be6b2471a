import { createLocalJWKSet, errors, type FlattenedJWSInput, type JWSHeaderParameters } from 'jose';
import { z } from 'zod';
import type { Clock } from '../../base/clock.js';
import { messageOf } from '../../base/errors.js';
import type { Issuer } from '../../base/issuer-settings.js';
import type { Log } from '../../base/log.js';
import { systemCode } from '../../base/network-error.js';
import { timeoutSignal } from '../../base/timeout-signal.js';
import { bodyTooLarge } from '../../downstream/connection/limited-fetch.js';
import { oauthFetch, requireSecure, whyOf } from '../../downstream/connection/oauth/oauth-fetch.js';

/** Published keys are asked for again when they are older: a key that was withdrawn is good for no longer than this. */
export const freshMs = 5 * 60_000;

/** While the issuer does not answer, the keys that it last published are good for no longer than this. */
export const keptMs = 24 * 3_600_000;

/** The issuer is asked at most this often, whatever keys tokens name. */
export const leastGapMs = 10_000;

/** How long it has for one answer. */
const patienceMs = 5_000;

/** That the keys of an issuer are not known now. `message` says why. */
export class KeysUnavailable extends Error {
  override readonly name = 'KeysUnavailable';
}

const metadata = z.object({
  issuer: z.string(),
  jwks_uri: z.string().optional(),
  authorization_endpoint: z.string().optional(),
  token_endpoint: z.string().optional(),
});

/** Where an issuer lets people log in. */
export interface Endpoints {
  authorization: URL;
  token: URL;
}

const published = z.object({ keys: z.array(z.looseObject({ kty: z.string() })).max(100) });

type FindKey = ReturnType<typeof createLocalJWKSet>;

interface Kept {
  find: FindKey;
  /** Of keys that have one. */
  ids: ReadonlySet<string>;
  count: number;
  readAt: number;
}

export interface SigningKeysNeeds {
  issuer: Issuer;
  clock: Pick<Clock, 'tick'>;
  log: Log;
}

/** The published keys of one issuer (RFC 7517), by its metadata (OpenID Connect Discovery 1.0, RFC 8414). */
export class SigningKeys {
  readonly #needs: SigningKeysNeeds;
  readonly #ending = new AbortController();
  #kept: Kept | undefined;
  #endpoints: Endpoints | undefined;
  #triedAt: number | undefined;
  #problem: string | undefined;
  #reading: Promise<void> | undefined;

  constructor(needs: SigningKeysNeeds) {
    this.#needs = needs;
  }

  /** The key for a token's header. Throws KeysUnavailable, and as `jose` does for a key that is not there. */
  readonly find = async (
    header: JWSHeaderParameters,
    token: FlattenedJWSInput,
  ): Promise<Awaited<ReturnType<FindKey>>> => {
    await this.#freshen();
    try {
      return await this.#usable().find(header, token);
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey)) throw error;
      // It may be a new one.
      await this.#read();
      if (this.#problem !== undefined) throw new KeysUnavailable(this.#problem);
      return this.#usable().find(header, token);
    }
  };

  /** Whether a key by which a token was accepted is still published, as far as is known. */
  async hasKey(id: string | undefined): Promise<boolean> {
    await this.#freshen();
    if (!this.#isYoungerThan(keptMs)) return false;
    return id === undefined || this.#kept?.ids.has(id) === true;
  }

  /** Asks the issuer. Resolves to how many keys it has published; throws KeysUnavailable. */
  async check(): Promise<number> {
    await this.#read();
    if (this.#problem !== undefined) throw new KeysUnavailable(this.#problem);
    return this.#usable().count;
  }

  /** Where people log in. Throws KeysUnavailable. */
  async endpoints(): Promise<Endpoints> {
    await this.#freshen();
    if (this.#endpoints) return this.#endpoints;
    throw new KeysUnavailable(this.#problem ?? 'its metadata does not say where people log in');
  }

  close(): void {
    this.#ending.abort();
  }

  /** While the issuer does not answer, callers do not wait for it, as long as there are keys of it. */
  async #freshen(): Promise<void> {
    if (this.#isYoungerThan(freshMs)) return;
    const reading = this.#read();
    if (this.#problem === undefined || !this.#isYoungerThan(keptMs)) await reading;
  }

  #isYoungerThan(ageMs: number): boolean {
    return this.#kept !== undefined && this.#needs.clock.tick() - this.#kept.readAt < ageMs;
  }

  #usable(): Kept {
    if (this.#kept && this.#isYoungerThan(keptMs)) return this.#kept;
    throw new KeysUnavailable(this.#problem ?? 'its keys have not been read yet');
  }

  /** One request for all who wait, and none within the gap after the last one. Never throws. */
  #read(): Promise<void> {
    if (this.#reading) return this.#reading;
    const now = this.#needs.clock.tick();
    if (this.#triedAt !== undefined && now - this.#triedAt < leastGapMs) return Promise.resolve();
    this.#triedAt = now;
    this.#reading = this.#readNow().finally(() => {
      this.#reading = undefined;
    });
    return this.#reading;
  }

  async #readNow(): Promise<void> {
    const { issuer, clock, log } = this.#needs;
    try {
      const { keys } = published.parse(await this.#fetchJson(await this.#findKeys()));
      const ids = keys.flatMap(({ kid }) => (typeof kid === 'string' ? [kid] : []));
      this.#kept = { find: createLocalJWKSet({ keys }), ids: new Set(ids), count: keys.length, readAt: clock.tick() };
      if (this.#problem !== undefined) log.info('the issuer answers again', { issuer: issuer.url });
      this.#problem = undefined;
    } catch (error) {
      if (this.#ending.signal.aborted) return;
      const problem = explain(error);
      if (this.#problem === undefined) {
        const what = this.#kept
          ? 'an issuer does not answer; the keys that it last published are used'
          : 'an issuer does not answer; its tokens are refused until it does, while others are good';
        log.warn(what, { issuer: issuer.url, problem });
      }
      this.#problem = problem;
    }
  }

  /** Where its keys are. Its metadata is read for that, and to know where people log in. */
  async #findKeys(): Promise<string> {
    const { jwksUri, client } = this.#needs.issuer;
    if (jwksUri !== undefined && !client) return jwksUri;
    const found = await this.#readMetadata();
    const [authorization, token] = [found.authorization_endpoint, found.token_endpoint].map(secureUrl);
    this.#endpoints = authorization && token ? { authorization, token } : undefined;
    const address = jwksUri ?? found.jwks_uri;
    if (address !== undefined) return address;
    throw new Error('its metadata does not say where its keys are: give that as jwksUri');
  }

  async #readMetadata(): Promise<z.output<typeof metadata>> {
    const { url } = this.#needs.issuer;
    const { origin, pathname } = new URL(url);
    const path = pathname.replace(/\/$/, '');
    let answer: unknown;
    try {
      answer = await this.#fetchJson(`${origin}${path}/.well-known/openid-configuration`);
    } catch (error) {
      if (!(error instanceof WrongStatus) || error.status !== 404) throw error;
      answer = await this.#fetchJson(`${origin}/.well-known/oauth-authorization-server${path}`);
    }
    const found = metadata.parse(answer);
    if (found.issuer === url) return found;
    throw new Error(`its metadata is that of the issuer ${JSON.stringify(found.issuer)}: give that as the issuer`);
  }

  async #fetchJson(address: string): Promise<unknown> {
    const signal = AbortSignal.any([this.#ending.signal, timeoutSignal(patienceMs)]);
    const response = await oauthFetch(address, { signal, headers: { accept: 'application/json' } });
    if (response.status !== 200) {
      await response.body?.cancel();
      throw new WrongStatus(address, response.status);
    }
    return JSON.parse(await response.text());
  }
}

/** People and codes go to no address in the clear. */
function secureUrl(address: string | undefined): URL | undefined {
  if (address === undefined) return undefined;
  const url = new URL(address);
  requireSecure(url);
  return url;
}

class WrongStatus extends Error {
  readonly status: number;

  constructor(address: string, status: number) {
    super(`${address} answers with status ${status}`);
    this.status = status;
  }
}

/** What others have written may be of any length. */
function explain(error: unknown): string {
  if (error instanceof z.ZodError) return `its answer is not as it should be: ${z.prettifyError(error).slice(0, 200)}`;
  if (error instanceof SyntaxError) return 'its answer is not JSON';
  if (error instanceof DOMException && error.name === 'TimeoutError') {
    return `it has not answered within ${patienceMs / 1_000} s`;
  }
  if (systemCode(error) === bodyTooLarge) return 'its answer has more than a million bytes';
  return error instanceof WrongStatus ? messageOf(error) : whyOf(error);
}

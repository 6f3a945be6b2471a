import type { Clock, EpochMs } from '../../base/clock.js';
import { browserIdleMs } from '../../core/access/browser-sessions.js';
import type { Issued, Pass } from '../../core/access/pass.js';
import { hashOf, isSame, newSecret, partsOf } from '../../core/access/secret.js';

/** A caller whose rights stand on a token of an issuer. */
export type IssuedPass = Pass & { issued: Issued };

/** The browsers that an issuer's token has let in. They are known to this process alone: their tokens end within hours. */
export interface IssuerBrowsers {
  /** Begins a session that ends with the token, and 12 hours from now at the latest. Returns what its cookie holds. */
  begin(pass: IssuedPass): string;
  /** What a browser's session allows. */
  find(secret: string): IssuedPass | undefined;
  isOpen(browserId: string): boolean;
  /** Ends one. */
  end(browserId: string): void;
}

/** The oldest one ends when there are more. */
const mostOfCaller = 50;

export function createIssuerBrowsers({ now }: Pick<Clock, 'now'>): IssuerBrowsers {
  const sessions = new Map<string, { hash: string; pass: IssuedPass; endsAt: EpochMs }>();

  function endOld(tokenId: string): void {
    for (const [id, { endsAt }] of sessions) if (now() >= endsAt) sessions.delete(id);
    const own = [...sessions].filter(([, { pass }]) => pass.tokenId === tokenId);
    for (const [id] of own.slice(0, Math.max(0, own.length - mostOfCaller + 1))) sessions.delete(id);
  }

  return {
    begin(pass) {
      endOld(pass.tokenId);
      const { id, secret, hash } = newSecret('browser');
      const endsAt = Math.min(pass.issued.expiresAt, now() + browserIdleMs);
      sessions.set(id, {
        hash,
        pass: { ...pass, browserId: id, issued: { ...pass.issued, expiresAt: endsAt } },
        endsAt,
      });
      return secret;
    },
    find(secret) {
      const { id = '', random = '' } = partsOf(secret) ?? {};
      const found = sessions.get(id);
      return found && now() < found.endsAt && isSame(found.hash, hashOf(random)) ? found.pass : undefined;
    },
    isOpen: (browserId) => sessions.has(browserId),
    end: (browserId) => void sessions.delete(browserId),
  };
}

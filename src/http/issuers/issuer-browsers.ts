import type { Clock, EpochMs } from '../../base/clock.js';
import { browserIdleMs } from '../../core/access/browser-sessions.js';
import type { IssuedPass } from '../../core/access/pass.js';
import { hashOf, isSame, newSecret, partsOf } from '../../core/access/secret.js';
import type { Renew } from './browser-login.js';

/** The browsers that an issuer's token has let in. They are known to this process alone: their tokens end within hours. */
export interface IssuerBrowsers {
  /**
   * Begins a session that ends with the token, unless `renew` gets another one, and 12 hours from now at the latest.
   * Returns what its cookie holds.
   */
  begin(pass: IssuedPass, renew?: Renew): string;
  /** What a browser's session allows now. */
  find(secret: string): Promise<IssuedPass | undefined>;
  isOpen(browserId: string): boolean;
  /** Ends one. */
  end(browserId: string): void;
}

interface Session {
  id: string;
  hash: string;
  pass: IssuedPass;
  renew: Renew | undefined;
  renewing: Promise<void> | undefined;
  endsAt: EpochMs;
}

/** The oldest one ends when there are more. */
const mostOfCaller = 50;

export function createIssuerBrowsers({ now }: Pick<Clock, 'now'>): IssuerBrowsers {
  const sessions = new Map<string, Session>();
  const hasEnded = ({ endsAt, pass, renew }: Session) =>
    now() >= endsAt || (now() >= pass.issued.expiresAt && renew === undefined);

  function endOld(tokenId: string): void {
    for (const session of sessions.values()) if (hasEnded(session)) sessions.delete(session.id);
    const own = [...sessions.values()].filter(({ pass }) => pass.tokenId === tokenId);
    for (const { id } of own.slice(0, Math.max(0, own.length - mostOfCaller + 1))) sessions.delete(id);
  }

  /** A person who is another one now, or for whom the issuer gives no more tokens, is signed out. */
  async function renew(session: Session): Promise<void> {
    const renewed = await session.renew?.();
    if (!renewed || renewed.pass.tokenId !== session.pass.tokenId) {
      sessions.delete(session.id);
      return;
    }
    session.pass = { ...renewed.pass, browserId: session.id };
    session.renew = renewed.renew;
  }

  return {
    begin(pass, renew) {
      endOld(pass.tokenId);
      const { id, secret, hash } = newSecret('browser');
      const endsAt = now() + browserIdleMs;
      sessions.set(id, { id, hash, pass: { ...pass, browserId: id }, renew, renewing: undefined, endsAt });
      return secret;
    },
    async find(secret) {
      const { id = '', random = '' } = partsOf(secret) ?? {};
      const session = sessions.get(id);
      if (!session || !isSame(session.hash, hashOf(random))) return undefined;
      if (now() >= session.pass.issued.expiresAt && !hasEnded(session)) {
        session.renewing ??= renew(session).finally(() => {
          session.renewing = undefined;
        });
        await session.renewing;
      }
      return sessions.has(id) && now() < Math.min(session.endsAt, session.pass.issued.expiresAt)
        ? session.pass
        : undefined;
    },
    isOpen: (browserId) => sessions.has(browserId),
    end: (browserId) => void sessions.delete(browserId),
  };
}

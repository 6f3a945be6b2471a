import type { Rights } from '../core/access/pass.js';

/** A client's place at `/mcp`. */
export interface Place {
  pass: Rights;
  /** Whether the client has confirmed its initialize; many that only probe never do. */
  hasBegun: boolean;
  /** Requests that are not answered yet, and open streams. */
  open: number;
  /** Monotonic milliseconds. */
  usedAt: number;
}

/** Over all tokens. */
export const mostPlaces = 500;

/** Of one token that the owner has made. */
export const mostPlacesOfToken = 100;

/** The answer to a client that gets no place. */
export const tooMany = {
  jsonrpc: '2.0',
  error: {
    code: -32000,
    message: `A token may have ${mostPlacesOfToken} sessions here, and all tokens ${mostPlaces}; end some, or try again.`,
  },
  id: null,
};

/** A client that has not been heard of for this long, and has no stream open, is gone. */
const idleMs = 120_000;

/** The same for one that has not begun. */
const beginningMs = 15_000;

export function isIdle({ open, hasBegun, usedAt }: Place, now: number): boolean {
  return open === 0 && now - usedAt > (hasBegun ? idleMs : beginningMs);
}

/**
 * Finds a place for one more client: `free`, `full`, or the key of the place that has to be given up for it. A token's
 * clients that have not begun make way for those that come after them. The owner gets in before all others.
 */
export function findPlace(
  places: ReadonlyMap<string, Place>,
  { tokenId }: Rights,
): 'free' | 'full' | { giveUp: string } {
  const all = [...places].sort(([, one], [, other]) => one.usedAt - other.usedAt);
  const own = all.filter(([, { pass }]) => pass.tokenId === tokenId);
  const isOwner = tokenId === 'owner' || tokenId === 'anyone';
  if (all.length < mostPlaces && (isOwner || own.length < mostPlacesOfToken)) return 'free';
  const others = isOwner ? all.filter(([, { pass }]) => pass.tokenId !== tokenId) : [];
  const [key] =
    others.find(isBeginning) ??
    others.find(isQuiet) ??
    others[0] ??
    own.find(isBeginning) ??
    (isOwner ? own.find(isQuiet) : undefined) ??
    [];
  return key === undefined ? 'full' : { giveUp: key };
}

type Entry = [key: string, place: Place];

const isBeginning = ([, { hasBegun }]: Entry): boolean => !hasBegun;
const isQuiet = ([, { open }]: Entry): boolean => open === 0;

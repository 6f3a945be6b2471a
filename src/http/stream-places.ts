import type { Rights } from '../core/access/pass.js';

/** Of one token that the owner has made: a page in each of many windows, and some programs. */
export const mostStreamsOfToken = 50;

/** The answer to a token that gets no place. */
export const tooManyStreams = {
  code: 'unavailable',
  message: `This token has ${mostStreamsOfToken} streams open, and may have no more.`,
  hint: 'Close one of them, or use another token.',
} as const;

/** The owner's own. */
const mostStreamsOfOwner = 500;

export interface StreamPlaces {
  /** Takes a place for a stream. Returns the function that gives it back, or undefined when the token has no more. */
  take(rights: Rights): (() => void) | undefined;
}

/** Counts the open streams of each token, so that none of them takes all descriptors of the server. */
export function createStreamPlaces(): StreamPlaces {
  const open = new Map<string, number>();
  return {
    take({ tokenId }) {
      const most = tokenId === 'owner' || tokenId === 'anyone' ? mostStreamsOfOwner : mostStreamsOfToken;
      const count = open.get(tokenId) ?? 0;
      if (count >= most) return undefined;
      open.set(tokenId, count + 1);
      let hasLeft = false;
      return () => {
        if (hasLeft) return;
        hasLeft = true;
        const left = (open.get(tokenId) ?? 1) - 1;
        if (left > 0) open.set(tokenId, left);
        else open.delete(tokenId);
      };
    },
  };
}

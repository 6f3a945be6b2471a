import type { EpochMs } from '../../base/clock.js';
import type { Event } from '../events/events.js';

/** Whose rights a caller acts with. What it is given to hand on stands for these rights, and never for more. */
export interface Rights {
  /** The id of its token; `owner` for whoever has the owner's token or the database itself; `anyone` without a token. */
  tokenId: string;
  isReadOnly: boolean;
}

/** What has let a caller in over HTTP: a token, or a browser's session that stands for one. */
export interface Pass extends Rights {
  /** Of the token; `owner` or `anyone`. */
  name: string;
  /** The browser's session, if it has come with one. */
  browserId?: string;
  /** What its rights stand on, for the access token of an issuer that the owner trusts. */
  issued?: Issued;
}

/** An access token of an issuer: its end is its own, and its caller is known by `tokenId`, whichever token it sends. */
export interface Issued {
  issuer: string;
  /** Of the key that it is signed with. */
  keyId: string | undefined;
  expiresAt: EpochMs;
}

export const ownerPass: Pass = { tokenId: 'owner', name: 'owner', isReadOnly: false };

/** The pass of every caller of a server that asks for no token. */
export const anyonePass: Pass = { tokenId: 'anyone', name: 'anyone', isReadOnly: false };

/** The pass of a caller whose rights stand on a token of an issuer. */
export type IssuedPass = Pass & { issued: Issued };

const issuerMark = 'issuer-';

/** The id of whoever an issuer's tokens stand for: a text of 24 characters that tells it from all others. */
export const issuerCaller = (digest: string): string => `${issuerMark}${digest.slice(0, 24)}`;

/** Whether a caller came with a token of an issuer. */
export const isOfIssuer = ({ tokenId }: Rights): boolean => tokenId.startsWith(issuerMark);

/** Tells passes apart: two with the same key are the same caller. */
export const keyOf = ({ tokenId, browserId, isReadOnly }: Pass): string =>
  `${tokenId}/${browserId ?? ''}/${isReadOnly ? 'read' : 'full'}`;

/** The events of tokens and browsers, which `get_events` shows as those of `runtime`, `access`. */
export const accessSubject = { subject: 'runtime', subjectId: 'access' } as const;

/** Whether an event is the revocation of what a pass stands on. */
export function revokes({ subject, subjectId, type, data }: Event, { tokenId, browserId }: Pass): boolean {
  if (subject !== accessSubject.subject || subjectId !== accessSubject.subjectId) return false;
  if (type === 'token_revoked') return data.token === tokenId;
  return type === 'browser_revoked' && browserId !== undefined && data.browser === browserId;
}

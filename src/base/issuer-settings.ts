import { z } from 'zod';
import { RuntimeError } from './errors.js';
import { isLoopback } from './native-settings.js';
import { type Environment, readSetting } from './settings.js';
import { variableName } from './variable-names.js';

/** An OAuth 2.1 or OpenID Connect issuer whose access tokens let callers in over HTTP. */
export interface Issuer {
  /** Exactly as its tokens have it in `iss`. */
  url: string;
  /** Stands behind the names of its callers. */
  name: string;
  /** A token is for this server if its `aud` has one of these. */
  audiences: readonly string[];
  /** Where its keys are; undefined to read that from its metadata. */
  jwksUri: string | undefined;
  /** The claims that name rights, and the values that mean each. */
  rightsClaims: readonly string[];
  read: readonly string[];
  write: readonly string[];
  /** The claims that name a caller: the first that is there. */
  nameClaims: readonly string[];
  /** What clients ask the issuer for. */
  scopes: readonly string[];
  /** As whom the page asks the issuer to let people log in; undefined if they paste a token. */
  client: LoginClient | undefined;
}

export interface LoginClient {
  id: string;
  /** Undefined for a public client, and for one whose variable is not set. */
  secret: string | undefined;
  /** The variable of the secret, if it has one. */
  secretVariable?: string | undefined;
}

/** Whether people can log in as this client: its secret is known, if it has one. */
export const isComplete = ({ secret, secretVariable }: LoginClient): boolean =>
  secretVariable === undefined || secret !== undefined;

const words = z
  .union([z.string().min(1).max(500), z.array(z.string().min(1).max(500)).min(1).max(50)])
  .transform((given) => (typeof given === 'string' ? [given] : given));

const address = z
  .string()
  .max(2_000)
  .refine(isSafeAddress, {
    error: ({ input }) =>
      `${JSON.stringify(input)} is not an https address without ? and # (http is for loopback alone)`,
  });

/** An entry of the config file's `issuers`. */
const issuerEntry = z.strictObject({
  issuer: address.describe('Its address, exactly as its tokens have it in iss.'),
  audience: words.describe('What the aud of tokens for this server has; one of these is enough.'),
  name: z
    .string()
    .regex(/^[\w.-]{1,60}$/, 'is not a name of letters, digits and . _ -')
    .optional()
    .describe('Stands behind the names of its callers; its host unless given.'),
  jwksUri: address.optional().describe('Where its keys are, if its metadata does not say so.'),
  rightsClaims: words
    .optional()
    .describe(
      'The claims that name rights, such as realm_access.roles; scope, scp, permissions and roles unless given.',
    ),
  read: words.optional().describe('What stands there for reading; read unless given.'),
  write: words.optional().describe('What stands there for reading and writing; write unless given.'),
  nameClaims: words.optional().describe('The claims that name a caller; the first one there is taken.'),
  scopes: words.optional().describe('What clients ask the issuer for; the values of read and write unless given.'),
  clientId: z
    .string()
    .min(1)
    .max(500)
    .optional()
    .describe('The page lets people log in as this client; its redirect address is https://HOST/sign-in/callback.'),
  clientSecretVariable: variableName
    .optional()
    .describe(
      'The variable with the secret of clientId, from the environment or secretsFile; none for a public client.',
    ),
});

type IssuerEntry = z.output<typeof issuerEntry>;

/** The config file's `issuers`. */
export const issuersSchema = z
  .array(issuerEntry)
  .max(20)
  .superRefine((entries, context) => {
    for (const [index, entry] of entries.entries()) {
      if (entry.clientSecretVariable !== undefined && entry.clientId === undefined) {
        context.addIssue({
          code: 'custom',
          path: [index, 'clientSecretVariable'],
          message: 'is there without clientId',
        });
      }
      const isSecond = (one: IssuerEntry) => one.issuer === entry.issuer || nameOf(one) === nameOf(entry);
      if (entries.findIndex(isSecond) === index) continue;
      const message = `${JSON.stringify(entry.issuer)} has the address or the name of another entry`;
      context.addIssue({ code: 'custom', path: [index, 'issuer'], message });
    }
  });

/** Where a caller's name stands: the issuers' own habits, and last what every token has. */
const usualNameClaims = ['preferred_username', 'upn', 'unique_name', 'email', 'sub'];
const usualRightsClaims = ['scope', 'scp', 'permissions', 'roles'];

/**
 * The issuers of the config file, and the one of the variables, which wins over an entry of the same address. Throws
 * `invalid`, naming the variable.
 */
export function readIssuers(env: Environment, entries: readonly IssuerEntry[] = []): Issuer[] {
  return withIssuer(
    entries.map((entry) => toIssuer(entry, env)),
    { url: readSetting(env, 'AGENT_RUNTIME_ISSUER'), audience: readSetting(env, 'AGENT_RUNTIME_AUDIENCE') },
    { url: 'AGENT_RUNTIME_ISSUER', audience: 'AGENT_RUNTIME_AUDIENCE' },
  );
}

/** Adds an issuer with the usual mapping, or gives the one of this address another audience. Throws `invalid`. */
export function withIssuer(
  issuers: readonly Issuer[],
  { url, audience }: { url: string | undefined; audience: string | undefined },
  names: { url: string; audience: string },
): Issuer[] {
  if (url === undefined && audience === undefined) return [...issuers];
  const known = issuers.find((issuer) => issuer.url === url);
  if (url === undefined || (audience === undefined && !known)) {
    throw new RuntimeError(
      'invalid',
      `${url === undefined ? names.audience : names.url} is set without ${url === undefined ? names.url : names.audience}.`,
      `Set both: the address of the issuer, and what the aud of its tokens for this server has.`,
    );
  }
  if (!isSafeAddress(url)) {
    throw new RuntimeError(
      'invalid',
      `${names.url} is ${JSON.stringify(url)}.`,
      'Set it to an https address without ? and #, exactly as tokens have it in iss. http is for loopback alone.',
    );
  }
  const audiences =
    audience
      ?.split(',')
      .map((one) => one.trim())
      .filter(Boolean) ?? [];
  const changed = known
    ? { ...known, ...(audiences.length > 0 ? { audiences } : {}) }
    : toIssuer({ issuer: url, audience: audiences }, {});
  return [...issuers.filter((issuer) => issuer !== known), changed];
}

function toIssuer(entry: IssuerEntry, env: Environment): Issuer {
  const { read = ['read'], write = ['write'] } = entry;
  return {
    url: entry.issuer,
    name: nameOf(entry),
    audiences: entry.audience,
    jwksUri: entry.jwksUri,
    rightsClaims: entry.rightsClaims ?? usualRightsClaims,
    read,
    write,
    nameClaims: entry.nameClaims ?? usualNameClaims,
    scopes: entry.scopes ?? [...read, ...write],
    client: entry.clientId === undefined ? undefined : clientOf(entry.clientId, entry.clientSecretVariable, env),
  };
}

/** Other processes read the same file without the variables of the server: a missing one is no error for them. */
function clientOf(id: string, secretVariable: string | undefined, env: Environment): LoginClient {
  return { id, secret: secretVariable === undefined ? undefined : env[secretVariable] || undefined, secretVariable };
}

const nameOf = ({ name, issuer }: IssuerEntry): string => name ?? new URL(issuer).hostname;

/** HTTPS, or this machine, without a login, a query or a fragment (RFC 8414, section 2). */
function isSafeAddress(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, hostname, username, password, search, hash } = new URL(text);
  const isPlain = username === '' && password === '' && search === '' && hash === '';
  return isPlain && (protocol === 'https:' || (protocol === 'http:' && isLoopback(hostname)));
}

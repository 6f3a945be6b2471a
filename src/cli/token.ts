import { RuntimeError } from '../base/errors.js';
import { nearest } from '../base/text.js';
import type { Runtime } from '../runtime.js';
import { iso } from '../tools/call/fields.js';
import type { CommandContext } from './define-command.js';
import type { GlobalFlags } from './global-flags.js';
import { commandName } from './launch.js';
import { parseAge } from './options.js';
import { type Column, printTable, relativeIso } from './table.js';
import { callerOf, readSettingOf, settingOf, withRuntime, withStored } from './with-runtime.js';

/** Creates a token and prints it. It is not stored, so it cannot be printed again. */
export async function createToken(
  { name, expiresIn }: { name: string; expiresIn: string | undefined },
  { flags, output }: CommandContext,
): Promise<void> {
  const lifeMs = expiresIn === undefined ? undefined : parseAge(expiresIn);
  const isReadOnly = flags.settings.readOnly === true;
  const { id, token } = await onRuntime(flags, (runtime) =>
    runtime.access.create({ name, isReadOnly, lifeMs }, callerOf(runtime.config)),
  );
  if (flags.isJson) output.printJson({ id, name, read_only: isReadOnly, token });
  else {
    output.print(token);
    output.say(
      'It is not shown again. Programs send it as `Authorization: Bearer TOKEN`, or have it in AGENT_RUNTIME_TOKEN.',
    );
  }
}

/** Lists the tokens by id and name, and the browsers that a code has let in. */
export async function listTokens(_: unknown, { flags, output, wantsJson }: CommandContext): Promise<void> {
  const [tokens, browsers] = await withStored(readSettingOf(flags), ({ access }) =>
    Promise.all([access.list(), access.listBrowsers()]),
  );
  const shown = tokens.map((token) => ({
    id: token.id,
    name: token.name,
    read_only: token.isReadOnly,
    created_at: iso(token.createdAt),
    last_used_at: token.lastUsedAt === null ? null : iso(token.lastUsedAt),
    expires_at: token.expiresAt === null ? null : iso(token.expiresAt),
  }));
  const shownBrowsers = browsers.map((browser) => ({
    id: browser.id,
    token: browser.name,
    read_only: browser.isReadOnly,
    created_at: iso(browser.createdAt),
    last_used_at: iso(browser.lastUsedAt),
    expires_at: iso(browser.expiresAt),
  }));
  if (wantsJson) return output.printJson({ tokens: shown, browsers: shownBrowsers });
  if (shown.length === 0) output.say('There are no tokens. `agent-runtime token create --name NAME` creates one.');
  const rows = [
    ...shown,
    ...shownBrowsers.map(({ token, ...browser }) => ({ ...browser, name: `browser of ${token}` })),
  ];
  if (rows.length === 0) return;
  printTable(output, tokenColumns(Date.now()), rows);
}

interface ShownToken {
  id: string;
  name: string;
  read_only: boolean;
  created_at: string;
  last_used_at: string | null;
  expires_at: string | null;
}

const tokenColumns = (now: number): Column<ShownToken>[] => [
  { title: 'ID', value: ({ id }) => id },
  { title: 'NAME', value: ({ name }) => name, isText: true },
  { title: 'RIGHTS', value: ({ read_only }) => (read_only ? 'read-only' : 'full') },
  { title: 'CREATED', value: ({ created_at }) => relativeIso(created_at, now) },
  { title: 'LAST USED', value: ({ last_used_at }) => relativeIso(last_used_at, now) || 'never' },
  { title: 'EXPIRES', value: ({ expires_at }) => relativeIso(expires_at, now) },
];

export async function revokeToken({ token }: { token: string }, { flags, output }: CommandContext): Promise<void> {
  const { kind, id, name } = await onRuntime(flags, async ({ access, config }) => {
    const known = [...(await access.list()), ...(await access.listBrowsers())];
    return access.revoke(wholeTokenId(token, known), callerOf(config));
  });
  if (flags.isJson) output.printJson({ id, name, kind, revoked: true });
  else output.print(`Revoked ${id} (${kind === 'browser' ? 'a browser of ' : ''}${name}).`);
}

/**
 * The token or browser that a name, an id or the beginning of an id means. Throws `invalid` if several begin with it, and `not_found`
 * with the nearest ones.
 */
function wholeTokenId(given: string, tokens: readonly { id: string; name: string }[]): string {
  if (tokens.some(({ id, name }) => id === given || name === given)) return given;
  const matching = given.length < 4 ? [] : tokens.filter(({ id }) => id.startsWith(given.toLowerCase()));
  const [first] = matching;
  if (matching.length > 1) {
    const ids = matching.map(({ id, name }) => `${id} (${name})`);
    throw new RuntimeError(
      'invalid',
      `${JSON.stringify(given)} is the beginning of several ids: ${ids.join(', ')}.`,
      'Give more letters of the one that you mean.',
    );
  }
  if (first !== undefined) return first.id;
  const near = nearest(
    given,
    tokens.flatMap(({ id, name }) => [name, id]),
  );
  if (near.length === 0) return given;
  throw new RuntimeError(
    'not_found',
    `There is no token ${JSON.stringify(given)}.`,
    `Did you mean ${near.join(' or ')}? \`${commandName} token list\` shows the tokens and browsers there are.`,
  );
}

function onRuntime<Result>(flags: GlobalFlags, work: (runtime: Runtime) => Promise<Result>): Promise<Result> {
  return withRuntime(settingOf(flags), work);
}

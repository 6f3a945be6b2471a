import { isDeepStrictEqual } from 'node:util';
import type { z } from 'zod';
import { parseConfigFile } from '../../base/config-file.js';
import { setInJsonc } from '../../base/edit-jsonc.js';
import { messageOf, RuntimeError } from '../../base/errors.js';
import { isObject } from '../../base/json.js';
import { parseJsonc } from '../../base/jsonc.js';
import { serversSchema } from '../../base/server-settings.js';
import { providers } from '../../llm/providers.js';
import { type JsonObject, toOwnEntry } from './foreign-entry.js';
import type { ForeignServers } from './foreign-file.js';

export interface ImportPlan {
  /** The config file with the servers in it. */
  text: string;
  added: string[];
  replaced: string[];
  unchanged: string[];
  skipped: { server: string; reason: string }[];
  /** What works otherwise here, of those that are added or replaced. */
  notes: { server: string; note: string }[];
}

export interface ImportRequest {
  home: string;
  configPath: string;
  /** Whether a new entry replaces one of the same name. */
  isReplacing: boolean;
}

/** The fields of an entry that say which server it is. The others say how it is used here. */
const identity = ['type', 'command', 'args', 'env', 'cwd', 'url', 'headers', 'oauth', 'disabled'];

/**
 * The config text with the servers of another client's files added; of two with one name the later counts. An invalid
 * entry is skipped, with the reason. Nothing else in the config changes, comments included. Throws `invalid` if the
 * config is not one.
 */
export function planImport(
  sources: readonly ForeignServers[],
  config: string,
  { home, configPath, isReplacing }: ImportRequest,
): ImportPlan {
  const root = config.trim() === '' ? {} : parse(config, configPath);
  const present = isObject(root.mcpServers) ? root.mcpServers : {};
  const plan: ImportPlan = { text: config, added: [], replaced: [], unchanged: [], skipped: [], notes: [] };
  const all = new Map(
    sources.flatMap(({ servers, project }) =>
      Object.entries(servers).map(([server, given]) => [server, { given, project }] as const),
    ),
  );
  for (const [server, { given, project }] of all) {
    const { entry, notes } = isObject(given) ? toOwnEntry(given, { home, project }) : { entry: given, notes: [] };
    const before = present[server];
    const parsed = serversSchema.safeParse({ [server]: entry });
    if (!parsed.success) plan.skipped.push({ server, reason: firstIssue(parsed.error) });
    else if (before === undefined) plan.added.push(server);
    else if (isObject(before) && isDeepStrictEqual(identityOf(before), identityOf(entry as JsonObject)))
      plan.unchanged.push(server);
    else if (isReplacing) plan.replaced.push(server);
    else
      plan.skipped.push({ server, reason: `${configPath} has another server of this name; --replace takes this one` });
    if (!plan.added.includes(server) && !plan.replaced.includes(server)) continue;
    plan.notes.push(...[...new Set(notes)].map((note) => ({ server, note })));
    const own = entry as JsonObject;
    // How a server is used here stays as it is.
    const whole = { ...own, ...(isObject(before) ? usageOf(before) : {}), ...identityOf(own) };
    plan.text = setInJsonc(plan.text, ['mcpServers', server], whole);
  }
  if (plan.text !== config) checkResult(plan.text, configPath);
  return plan;
}

function checkResult(text: string, configPath: string): void {
  try {
    parseConfigFile(text, configPath, providers);
  } catch (error) {
    throw wrong(configPath, `would not be valid. ${messageOf(error)}`);
  }
}

/** What is switched off under its other name is so, too. */
function identityOf({ enabled, ...entry }: JsonObject): JsonObject {
  const fields = Object.fromEntries(Object.entries(entry).filter(([name]) => identity.includes(name)));
  const { disabled, ...rest } = fields;
  return disabled === true || enabled === false ? { ...rest, disabled: true } : rest;
}

const usageOf = (entry: JsonObject): JsonObject =>
  Object.fromEntries(Object.entries(entry).filter(([name]) => ![...identity, 'enabled'].includes(name)));

function firstIssue(error: z.ZodError): string {
  const [issue] = error.issues;
  if (issue?.code === 'invalid_key') return `its name is not ${issue.issues[0]?.message}`;
  const place = issue?.path.slice(1).join('.');
  return `${place ? `${place}: ` : ''}${issue?.message ?? 'it is not valid'}`;
}

function parse(text: string, file: string): JsonObject {
  let value: unknown;
  try {
    ({ value } = parseJsonc(text));
  } catch (error) {
    throw wrong(file, `is not JSON: ${messageOf(error)}`);
  }
  if (!isObject(value)) throw wrong(file, 'is JSON, but not an object');
  return value;
}

function wrong(file: string, what: string): RuntimeError {
  return new RuntimeError('invalid', `${file} ${what}. Nothing was changed.`, 'Correct the file and try again.');
}

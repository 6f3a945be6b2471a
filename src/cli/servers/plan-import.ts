import { isDeepStrictEqual } from 'node:util';
import type { z } from 'zod';
import { parseConfigFile } from '../../base/config-file.js';
import { setInJsonc } from '../../base/edit-jsonc.js';
import { messageOf, RuntimeError } from '../../base/errors.js';
import { isObject } from '../../base/json.js';
import { parseJsonc } from '../../base/jsonc.js';
import { serversSchema } from '../../base/server-settings.js';
import { providers } from '../../llm/providers.js';

export interface ImportPlan {
  /** The config file with the servers in it. */
  text: string;
  added: string[];
  replaced: string[];
  unchanged: string[];
  skipped: { server: string; reason: string }[];
}

export interface ImportRequest {
  /** The file that the servers come from. */
  file: string;
  configPath: string;
  /** Whether a new entry replaces one of the same name. */
  isReplacing: boolean;
}

type JsonObject = Record<string, unknown>;

/** The fields of an entry that every client understands. Other fields of the client are not copied. */
const copied = ['type', 'command', 'args', 'env', 'cwd', 'url', 'headers'];

/**
 * The config text with the servers of another client's file added. An invalid entry is skipped, with the reason. Nothing
 * else in the config changes, comments included. Throws `invalid` if either text is not such a file.
 */
export function planImport(
  source: string,
  config: string,
  { file, configPath, isReplacing }: ImportRequest,
): ImportPlan {
  const servers = serversIn(parse(source, file));
  if (!servers) throw wrong(file, 'has neither "mcpServers" nor "servers"');
  const root = config.trim() === '' ? {} : parse(config, configPath);
  const present = isObject(root.mcpServers) ? root.mcpServers : {};
  const plan: ImportPlan = { text: config, added: [], replaced: [], unchanged: [], skipped: [] };

  for (const [server, given] of Object.entries(servers)) {
    const entry = isObject(given) ? pick(given) : given;
    const before = present[server];
    const parsed = serversSchema.safeParse({ [server]: entry });
    if (!parsed.success) plan.skipped.push({ server, reason: firstIssue(parsed.error) });
    else if (before === undefined) plan.added.push(server);
    else if (isObject(before) && isDeepStrictEqual(pick(before), entry)) plan.unchanged.push(server);
    else if (isReplacing) plan.replaced.push(server);
    else
      plan.skipped.push({ server, reason: `${configPath} has another server of this name; --replace takes this one` });
    if (!plan.added.includes(server) && !plan.replaced.includes(server)) continue;
    // Fields that only this program knows, such as those of the pool, stay as they are.
    const whole = { ...(isObject(before) ? without(before) : {}), ...(entry as JsonObject) };
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

/** VS Code calls them `servers`. */
function serversIn({ mcpServers, servers }: JsonObject): JsonObject | undefined {
  return [mcpServers, servers].find(isObject);
}

/** The fields that are copied. What is switched off there is so here: nobody wants it started by an import. */
function pick(entry: JsonObject): JsonObject {
  const fields = Object.fromEntries(Object.entries(entry).filter(([name]) => copied.includes(name)));
  return entry.disabled === true || entry.enabled === false ? { ...fields, disabled: true } : fields;
}
const without = (entry: JsonObject): JsonObject =>
  Object.fromEntries(Object.entries(entry).filter(([name]) => ![...copied, 'disabled', 'enabled'].includes(name)));

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

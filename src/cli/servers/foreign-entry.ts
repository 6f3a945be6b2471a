import { basename } from 'node:path';
import { isObject } from '../../base/json.js';

export type JsonObject = Record<string, unknown>;

export interface ForeignPlace {
  home: string;
  /** The project that the file belongs to, for its placeholders. */
  project: string;
}

export interface OwnEntry {
  entry: JsonObject;
  /** What of it works otherwise here, in words. */
  notes: string[];
}

/** `${env:NAME}`, `${input:some-id}`, `${userHome}`: as Cursor, VS Code and Windsurf write them. */
const placeholder = /\$\{(?:(env|input):([^}]+)|(userHome|workspaceFolder|workspaceFolderBasename))\}/g;

const seconds = (value: unknown) => (typeof value === 'number' ? Math.round(value * 1_000) : undefined);
const longestTimeout = 50_000;

/**
 * An entry of another client in the terms of our config file: the fields that mean the same in Claude Code and Desktop,
 * Cursor, VS Code, Codex and Windsurf, as their documentation names them. What is switched off there is so here.
 */
export function toOwnEntry(given: JsonObject, place: ForeignPlace): OwnEntry {
  const notes: string[] = [];
  const entry = filled(given, place, notes) as JsonObject;
  const { command, args, cwd, url = entry.serverUrl } = entry;
  if (entry.envFile !== undefined) notes.push(`the variables of its envFile ${entry.envFile} are not copied`);
  const startTimeout = seconds(entry.startup_timeout_sec) ?? entry.startup_timeout_ms;
  const toolTimeout = seconds(entry.tool_timeout_sec);
  const own = {
    type: typeOf(entry.type),
    command,
    args,
    env: environmentOf(entry),
    cwd,
    url,
    headers: headersOf(entry),
    oauth: oauthOf(entry),
    startTimeout,
    timeout: toolTimeout === undefined ? undefined : Math.min(toolTimeout, longestTimeout),
    disabled: entry.disabled === true || entry.enabled === false ? true : undefined,
  };
  return { entry: defined(own), notes };
}

/** Cline writes it in one word; opencode and Copilot say where it runs. */
function typeOf(type: unknown): unknown {
  if (type === 'streamableHttp') return 'http';
  return type === 'local' || type === 'remote' ? undefined : type;
}

/** Codex names the variables that it passes on. */
function environmentOf({ env, env_vars: passed }: JsonObject): unknown {
  if (!Array.isArray(passed)) return env;
  const names = passed.map((each) => (isObject(each) ? String(each.name) : String(each)));
  return { ...Object.fromEntries(names.map((name) => [name, `\${${name}:-}`])), ...(isObject(env) ? env : {}) };
}

/** Codex has fields of its own, two of which name variables. */
function headersOf(entry: JsonObject): unknown {
  const { headers, http_headers: plain, env_http_headers: named, bearer_token_env_var: token } = entry;
  const fields = {
    ...(isObject(headers) ? headers : {}),
    ...(isObject(plain) ? plain : {}),
    ...(isObject(named) ? Object.fromEntries(Object.entries(named).map(([name, of]) => [name, `\${${of}}`])) : {}),
    ...(typeof token === 'string' ? { Authorization: `Bearer \${${token}}` } : {}),
  };
  return Object.keys(fields).length > 0 ? fields : headers;
}

/** Claude Code and VS Code call it `oauth`, Cursor `auth`; of Codex there are the scopes. */
function oauthOf({ oauth, auth, scopes }: JsonObject): unknown {
  const { clientId, clientSecret, callbackPort, scopes: ownScopes } = isObject(oauth) ? oauth : ({} as JsonObject);
  const { CLIENT_ID, CLIENT_SECRET, scopes: cursorScopes } = isObject(auth) ? auth : ({} as JsonObject);
  const asked = ownScopes ?? cursorScopes ?? scopes;
  const own = defined({
    clientId: clientId ?? CLIENT_ID,
    clientSecret: clientSecret ?? CLIENT_SECRET,
    callbackPort,
    scopes: Array.isArray(asked) ? asked.join(' ') || undefined : asked,
  });
  return Object.keys(own).length > 0 ? own : undefined;
}

/** With the placeholders of other clients as ours, in all texts within. */
function filled(value: unknown, place: ForeignPlace, notes: string[]): unknown {
  if (Array.isArray(value)) return value.map((each) => filled(each, place, notes));
  if (isObject(value)) {
    return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, filled(each, place, notes)]));
  }
  if (typeof value !== 'string') return value;
  return value.replaceAll(placeholder, (_, kind: string | undefined, name: string | undefined, known: string) => {
    if (kind === 'env') return `\${${name}}`;
    if (kind === 'input') {
      const variable = (name ?? '').toUpperCase().replaceAll(/\W/g, '_');
      notes.push(`its client asks for ${name}; set the variable ${variable}`);
      return `\${${variable}}`;
    }
    if (known === 'userHome') return place.home;
    return known === 'workspaceFolder' ? place.project : basename(place.project);
  });
}

const defined = (fields: JsonObject): JsonObject =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));

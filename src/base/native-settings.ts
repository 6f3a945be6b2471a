import { RuntimeError } from './errors.js';
import { type Environment, oneOf, readSetting, type SettingName, settingOrDefault } from './settings.js';

export const searchBackendIds = ['searxng', 'brave', 'tavily'] as const;
export type SearchBackendId = (typeof searchBackendIds)[number];

/** The settings of the built-in tools. */
export interface NativeSettings {
  arxivBaseUrl: URL;
  /** The user's choice for web_search. */
  searchBackend: SearchBackendId | undefined;
  searxng: OwnServer | undefined;
  brave: { apiKey: string | undefined; baseUrl: URL };
  tavily: { apiKey: string | undefined; baseUrl: URL };
  /** The e-mail address that a service may write to. */
  contact: string | undefined;
}

/** A server of the user's own, which may need a login. */
export interface OwnServer {
  url: URL;
  authorization: string | undefined;
  /** Texts that hold the login. */
  secrets: readonly string[];
}

/** Throws `invalid`, naming the variable. An address is not quoted, because it may hold a password. */
export function readNativeSettings(env: Environment): NativeSettings {
  const setting = (name: SettingName) => readSetting(env, name);
  const key = (name: 'BRAVE_API_KEY' | 'TAVILY_API_KEY') =>
    headerText(name, setting(name), 'the key as you were given it');
  const backend = setting('AGENT_RUNTIME_SEARCH_BACKEND');
  return {
    arxivBaseUrl: address('ARXIV_BASE_URL', settingOrDefault(env, 'ARXIV_BASE_URL')),
    searchBackend: backend === undefined ? undefined : oneOf(searchBackendIds, 'AGENT_RUNTIME_SEARCH_BACKEND', backend),
    searxng: ownServer('SEARXNG_URL', setting('SEARXNG_URL')),
    brave: {
      apiKey: key('BRAVE_API_KEY'),
      baseUrl: safeAddress('BRAVE_BASE_URL', settingOrDefault(env, 'BRAVE_BASE_URL')),
    },
    tavily: {
      apiKey: key('TAVILY_API_KEY'),
      baseUrl: safeAddress('TAVILY_BASE_URL', settingOrDefault(env, 'TAVILY_BASE_URL')),
    },
    contact: headerText('AGENT_RUNTIME_CONTACT', setting('AGENT_RUNTIME_CONTACT'), 'an e-mail address'),
  };
}

/** Moves a name and a password from the address into a header: `fetch` refuses an address that holds them. */
function ownServer(name: SettingName, text: string | undefined): OwnServer | undefined {
  if (text === undefined) return undefined;
  const url = httpUrl(name, text);
  const { username, password } = url;
  if (username === '' && password === '') return { url, authorization: undefined, secrets: [] };
  url.username = '';
  url.password = '';
  const plain = [username, password].map((part) => decode(name, part));
  const login = Buffer.from(plain.join(':')).toString('base64');
  return { url, authorization: `Basic ${login}`, secrets: [text, password, plain[1] ?? '', login].filter(Boolean) };
}

function decode(name: SettingName, text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new RuntimeError('invalid', `${name} holds a % that starts no code.`, 'Write %25 for a % in a password.');
  }
}

/** An address that a key is sent to: HTTPS, or this machine. */
function safeAddress(name: SettingName, text: string): URL {
  const url = address(name, text);
  if (url.protocol === 'https:' || isLoopback(url.hostname)) return url;
  throw new RuntimeError('invalid', `${name} would send a key in the clear.`, 'Set it to an address with https://.');
}

function address(name: SettingName, text: string): URL {
  const url = httpUrl(name, text);
  if (url.username === '' && url.password === '') return url;
  throw new RuntimeError('invalid', `${name} holds a name or a password.`, 'Set it to the address without them.');
}

function httpUrl(name: SettingName, text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url && /^https?:$/.test(url.protocol) && url.search === '' && url.hash === '') return url;
  throw new RuntimeError(
    'invalid',
    `${name} is not an address of a web server.`,
    'Set it to one such as https://HOST or http://127.0.0.1:8080, without ? and #.',
  );
}

/** A text that a header can hold. A line break would make `fetch` throw an error that quotes the value. */
function headerText(name: SettingName, text: string | undefined, wanted: string): string | undefined {
  if (text === undefined || /^[\x21-\x7e]{1,500}$/.test(text)) return text;
  throw new RuntimeError(
    'invalid',
    `${name} holds spaces, line breaks or other odd characters.`,
    `Set it to ${wanted}.`,
  );
}

export function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127(\.\d{1,3}){3}$/.test(hostname);
}

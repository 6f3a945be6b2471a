import { isObject, type JsonObject } from '../base/json.js';
import { cut } from '../base/text.js';
import type { Catalogs, ChangedList } from '../downstream/catalogs.js';
import { CallFailure } from '../downstream/connection/call-failure.js';
import { RequestError } from './exchange.js';
import type { ExposedRuntime } from './exposed-tools.js';
import { internalError, invalidParams } from './json-rpc.js';

export interface OtherCatalogsNeeds {
  exposing: ExposedRuntime;
  /** Whoever may only read is shown none: servers would be started for it. */
  isReadOnly: boolean;
}

/** Before the server's name in our address of its resource; the server's own address follows as it is. */
const scheme = 'server://';
const longestDescription = 4_000;

/** Our address of a resource, or of a template of addresses, of another server. */
const addressOf = (server: string, uri: string): string => `${scheme}${server}/${uri}`;

/** The server and its own address; undefined for an address that is not of another server. */
function splitAddress(address: string): { server: string; uri: string } | undefined {
  const [, server, uri] = /^server:\/\/([\w-]+)\/(.+)$/s.exec(address) ?? [];
  return server !== undefined && uri !== undefined ? { server, uri } : undefined;
}

export const isOfOtherServer = (address: string): boolean => splitAddress(address) !== undefined;

interface Asked {
  method: string;
  params: JsonObject;
  signal: AbortSignal;
}

/** Resources and prompts of other servers among our own, where the config file says so (MCP spec 2025-11-25). */
export class OtherCatalogs {
  readonly #needs: OtherCatalogsNeeds;

  constructor(needs: OtherCatalogsNeeds) {
    this.#needs = needs;
  }

  async resources(): Promise<JsonObject[]> {
    return this.#listed('resources', (item, server) =>
      typeof item.uri === 'string' ? { ...item, uri: addressOf(server, item.uri) } : undefined,
    );
  }

  async templates(): Promise<JsonObject[]> {
    return this.#listed('resourceTemplates', (item, server) =>
      typeof item.uriTemplate === 'string' ? { ...item, uriTemplate: addressOf(server, item.uriTemplate) } : undefined,
    );
  }

  async prompts(): Promise<JsonObject[]> {
    return this.#listed('prompts', (item, server) =>
      typeof item.name === 'string' ? { ...item, name: `${server}__${item.name}` } : undefined,
    );
  }

  /** Undefined for an address that is not of another server. Throws RequestError. */
  async read(address: string, signal: AbortSignal): Promise<JsonObject | undefined> {
    const found = splitAddress(address);
    if (!found) return undefined;
    const { server, uri } = found;
    const asked = { method: 'resources/read', params: { uri }, signal };
    const result = await this.#ask(server, 'resources', asked, { uri: address });
    if (!result) return undefined;
    const contents = Array.isArray(result.contents) ? result.contents : [];
    return { ...result, contents: contents.map((content) => readdressed(content, server)) };
  }

  /** Undefined if no other server shows a prompt of that name. Throws RequestError. */
  async prompt(name: string, args: JsonObject, signal: AbortSignal): Promise<JsonObject | undefined> {
    const found = await this.#findPrompt(name);
    if (!found) return undefined;
    const { catalogs, server, prompt } = found;
    const asked = { method: 'prompts/get', params: { name: prompt, arguments: args }, signal };
    const result = await this.#ask(server, 'prompts', asked, { name });
    if (!result || !catalogs.shows(server, 'resources') || !Array.isArray(result.messages)) return result;
    const messages = result.messages.map((message) =>
      isObject(message) ? { ...message, content: linked(message.content ?? null, server) } : message,
    );
    return { ...result, messages };
  }

  /** What another server suggests for an argument; undefined if it is none of its own. Throws RequestError. */
  async complete(
    { ref, ...rest }: JsonObject & { ref: JsonObject },
    signal: AbortSignal,
  ): Promise<JsonObject | undefined> {
    const asked = (own: JsonObject): Asked => ({
      method: 'completion/complete',
      params: { ...rest, ref: { ...ref, ...own } },
      signal,
    });
    if (ref.type === 'ref/prompt') {
      const found = await this.#findPrompt(String(ref.name));
      return found && this.#ask(found.server, 'prompts', asked({ name: found.prompt }), {});
    }
    const found = splitAddress(String(ref.uri));
    return found && this.#ask(found.server, 'resources', asked({ uri: found.uri }), {});
  }

  /** Tells when a list may be another one. Returns the function that ends it. */
  follow(publish: (list: ChangedList) => void): () => void {
    let end = () => {};
    let hasEnded = false;
    void this.#needs.exposing.opened.then(({ downstream }) => {
      if (!hasEnded) end = downstream.onCatalogChanged(publish);
    });
    return () => {
      hasEnded = true;
      end();
    };
  }

  async #listed(
    kind: Parameters<Catalogs['list']>[0],
    show: (item: JsonObject, server: string) => JsonObject | undefined,
  ): Promise<JsonObject[]> {
    const lists = (await (await this.#catalogs())?.list(kind)) ?? [];
    return lists.flatMap(({ server, items }) =>
      items.flatMap((item) => {
        const shown = show(item, server);
        if (!shown) return [];
        const { description } = shown;
        return [
          typeof description === 'string' ? { ...shown, description: cut(description, longestDescription) } : shown,
        ];
      }),
    );
  }

  /** Of two servers whose names begin alike, the one that has the prompt. */
  async #findPrompt(name: string) {
    const catalogs = await this.#catalogs();
    const servers = catalogs?.showing('prompts').filter((server) => name.startsWith(`${server}__`)) ?? [];
    const [first, ...others] = servers.map((server) => ({ server, prompt: name.slice(server.length + 2) }));
    if (!catalogs || !first) return undefined;
    if (others.length === 0) return { catalogs, ...first };
    const lists = await catalogs.list('prompts');
    const has = ({ server, prompt }: typeof first) =>
      lists.some((list) => list.server === server && list.items.some((item) => item.name === prompt));
    return { catalogs, ...([first, ...others].find(has) ?? first) };
  }

  async #ask(server: string, list: ChangedList, asked: Asked, data: JsonObject): Promise<JsonObject | undefined> {
    const catalogs = await this.#catalogs();
    try {
      return await catalogs?.ask(server, list, asked);
    } catch (error) {
      if (!(error instanceof CallFailure)) throw error;
      const { kind, message, detail } = error;
      // What the server says itself is data, and stands beside our words.
      const said = detail === undefined ? {} : { said: cut(detail, longestDescription) };
      const code = kind === 'wrong_call' ? invalidParams : internalError;
      throw new RequestError(code, `The server ${server} did not answer ${asked.method}: ${message}.`, {
        ...data,
        ...said,
      });
    }
  }

  /** Undefined if there are none to show, or if they cannot be had, which every call of a tool says. */
  async #catalogs(): Promise<Catalogs | undefined> {
    if (this.#needs.isReadOnly) return undefined;
    const runtime = await this.#needs.exposing.now().catch(() => undefined);
    return runtime?.downstream.catalogs();
  }
}

/** Embedded resources and links, under the addresses at which they can be read here. */
function linked<Content>(content: Content, server: string): Content {
  if (!isObject(content)) return content;
  if (content.type === 'resource_link') return readdressed(content, server);
  if (content.type !== 'resource') return content;
  return { ...content, resource: readdressed(content.resource, server) };
}

function readdressed<Value>(value: Value, server: string): Value {
  return isObject(value) && typeof value.uri === 'string' ? { ...value, uri: addressOf(server, value.uri) } : value;
}

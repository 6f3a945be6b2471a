import type { RuntimeError } from '../../../base/errors.js';
import type { NativeSettings, SearchBackendId } from '../../../base/native-settings.js';
import type { SettingName } from '../../../base/settings.js';
import type { TextAnswer, TextRequest } from '../fetch-text.js';

/** One page that was found, as the service tells of it; markup and odd characters are taken out later. */
export interface FoundPage {
  title: string;
  url: string;
  snippet: string;
  published?: string | undefined;
  /** Who found it, where that is not the back end itself. */
  source?: string | undefined;
}

export interface Search {
  query: string;
  /** 1 to 20. */
  count: number;
}

/** A service that searches the web: how to ask it, and how to read what it says. */
export interface SearchBackend {
  id: SearchBackendId;
  /** As it is called in messages. */
  service: string;
  /** The setting that makes it work. */
  setting: SettingName;
  /** One line for somebody who has none yet. */
  advice: string;
  isConfigured(settings: NativeSettings): boolean;
  request(search: Search, settings: NativeSettings): Pick<TextRequest, 'url' | 'headers' | 'body' | 'setting'>;
  /** Reads parsed JSON. Returns nothing if it is not what the service answers with; throws RuntimeError. */
  pages(body: unknown): FoundPage[] | undefined;
  /** What a refusal means with this service in particular, if it does. */
  explain?(answer: TextAnswer): RuntimeError | undefined;
}

/** The address of an endpoint under a base that may have a path of its own. */
export function endpoint(base: URL, path: string, params: Record<string, string> = {}): URL {
  const url = new URL(base.href.replace(/\/+$/, '') + path);
  for (const [name, value] of Object.entries(params)) url.searchParams.set(name, value);
  return url;
}

import { z } from 'zod';
import { RuntimeError } from '../../../base/errors.js';
import { endpoint, type SearchBackend } from './backend.js';

/** An answer without results has no `web`; its `type` says that it is an answer all the same. */
const answer = z.object({
  type: z.literal('search'),
  web: z.object({ results: z.array(z.unknown()) }).nullish(),
});

const page = z.object({
  title: z.string(),
  url: z.string(),
  description: z.string().nullish(),
  /** A date. `age` is words such as `2 days ago`. */
  page_age: z.string().nullish(),
  age: z.string().nullish(),
});

const refusal = z.object({ error: z.object({ code: z.string() }) });

/** Brave Search API, Web Search (api-dashboard.search.brave.com/app/documentation/web-search). */
export const brave: SearchBackend = {
  id: 'brave',
  service: 'Brave Search',
  setting: 'BRAVE_API_KEY',
  advice: 'BRAVE_API_KEY: a key from https://api-dashboard.search.brave.com (a credit each month, a card is needed).',
  isConfigured: ({ brave }) => brave.apiKey !== undefined,

  request: ({ query, count }, { brave }) => ({
    setting: 'BRAVE_BASE_URL',
    url: endpoint(brave.baseUrl, '/res/v1/web/search', { q: query, count: String(count), offset: '0' }),
    headers: { 'x-subscription-token': brave.apiKey ?? '' },
  }),

  pages(body) {
    const parsed = answer.safeParse(body);
    return (
      parsed.data?.web?.results.flatMap((result) => {
        const { data } = page.safeParse(result);
        if (!data) return [];
        const { title, url, description, page_age, age } = data;
        return [{ title, url, snippet: description ?? '', published: page_age ?? age ?? undefined }];
      }) ?? (parsed.success ? [] : undefined)
    );
  },

  /** Brave answers 422 to an unknown key as well as to a query it does not accept. */
  explain({ status, text }) {
    if (status !== 422 || !isAboutKey(text)) return undefined;
    return new RuntimeError(
      'not_configured',
      'Brave Search refused the API key (422).',
      'Set BRAVE_API_KEY to a valid key.',
    );
  },
};

function isAboutKey(text: string): boolean {
  try {
    const { data } = refusal.safeParse(JSON.parse(text));
    return data?.error.code.includes('TOKEN') === true;
  } catch {
    return false;
  }
}

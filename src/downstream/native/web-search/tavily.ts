import { z } from 'zod';
import { RuntimeError } from '../../../base/errors.js';
import { endpoint, type SearchBackend } from './backend.js';

const answer = z.object({ results: z.array(z.unknown()) });

const page = z.object({
  title: z.string(),
  url: z.string(),
  content: z.string().nullish(),
  published_date: z.string().nullish(),
});

/** Tavily, a search service for models (docs.tavily.com, Search). A basic search costs one credit. */
export const tavily: SearchBackend = {
  id: 'tavily',
  service: 'Tavily',
  setting: 'TAVILY_API_KEY',
  advice: 'TAVILY_API_KEY: a key from https://app.tavily.com (1,000 searches a month free, no card): the easiest.',
  isConfigured: ({ tavily }) => tavily.apiKey !== undefined,

  request: ({ query, count }, { tavily }) => ({
    setting: 'TAVILY_BASE_URL',
    url: endpoint(tavily.baseUrl, '/search'),
    headers: { authorization: `Bearer ${tavily.apiKey ?? ''}` },
    body: JSON.stringify({ query, max_results: count, search_depth: 'basic' }),
  }),

  pages(body) {
    return answer.safeParse(body).data?.results.flatMap((result) => {
      const { data } = page.safeParse(result);
      if (!data) return [];
      const { title, url, content, published_date } = data;
      return [{ title, url, snippet: content ?? '', published: published_date ?? undefined }];
    });
  },

  explain({ status }) {
    if (status !== 432 && status !== 433) return undefined;
    return new RuntimeError(
      'budget_exhausted',
      `The credits of the Tavily plan are used up (${status}).`,
      'Raise the limit on https://app.tavily.com, or set up another back end.',
    );
  },
};

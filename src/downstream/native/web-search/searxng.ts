import { z } from 'zod';
import { RuntimeError } from '../../../base/errors.js';
import { endpoint, type SearchBackend } from './backend.js';

const answer = z.object({
  results: z.array(z.unknown()),
  // Pairs of an engine and its problem.
  unresponsive_engines: z.array(z.unknown()).default([]),
});

const page = z.object({
  title: z.string(),
  url: z.string(),
  content: z.string().nullish(),
  engine: z.string().optional(),
  publishedDate: z.string().nullish(),
});

/** SearXNG, a self-hosted metasearch server (docs.searxng.org, Search API). It has no parameter for the count. */
export const searxng: SearchBackend = {
  id: 'searxng',
  service: 'SearXNG',
  setting: 'SEARXNG_URL',
  advice: 'SEARXNG_URL: a SearXNG server of your own whose settings.yml has json under search.formats.',
  isConfigured: ({ searxng }) => searxng !== undefined,

  request({ query }, { searxng }) {
    if (!searxng) throw new RuntimeError('not_configured', 'SEARXNG_URL is not set.', 'Set it to your SearXNG server.');
    return {
      setting: 'SEARXNG_URL',
      url: endpoint(searxng.url, '/search', { q: query, format: 'json', pageno: '1' }),
      headers: searxng.authorization === undefined ? {} : { authorization: searxng.authorization },
    };
  },

  pages(body) {
    const parsed = answer.safeParse(body);
    if (!parsed.success) return undefined;
    const { results, unresponsive_engines: silent } = parsed.data;
    if (results.length === 0 && silent.length > 0) {
      throw new RuntimeError(
        'unavailable',
        `SearXNG found nothing, but ${silent.length} of its engines did not answer.`,
        'Try again later; the preferences page of the server shows which engines fail.',
      );
    }
    return results.flatMap((result) => {
      const { data } = page.safeParse(result);
      if (!data) return [];
      const { title, url, content, engine, publishedDate } = data;
      return [{ title, url, snippet: content ?? '', published: publishedDate ?? undefined, source: engine }];
    });
  },

  explain({ status }) {
    if (status === 401) {
      return new RuntimeError(
        'not_configured',
        'The SearXNG server requires a login (401).',
        'Put it into SEARXNG_URL: https://NAME:PASSWORD@HOST',
      );
    }
    if (status === 403) {
      return new RuntimeError(
        'not_configured',
        'The SearXNG server does not answer in JSON (403).',
        'Add json to search.formats in its settings.yml and restart it. Most public servers have it switched off: run your own.',
      );
    }
    return undefined;
  },
};

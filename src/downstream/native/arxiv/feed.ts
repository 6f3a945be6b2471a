import { XMLParser, XMLValidator } from 'fast-xml-parser';
import { z } from 'zod';
import { RuntimeError } from '../../../base/errors.js';
import { plainText } from '../fetch-text.js';

/** One paper of arXiv's Atom feed. */
export interface Paper {
  /** Such as `1706.03762v7`. */
  id: string;
  title: string;
  summary: string;
  authors: string[];
  /** ISO 8601, of the first version. `updated` is the date of this version. */
  published: string;
  updated: string;
  url: string;
  pdf_url?: string;
  categories: string[];
  primary_category?: string;
  doi?: string;
  journal_ref?: string;
  comment?: string;
}

export interface Feed {
  papers: Paper[];
  total: number;
}

/** An element's text. The parser makes an object of an element with attributes. */
const text = z
  .union([z.string(), z.object({ '#text': z.string().default('') }).transform((node) => node['#text'])])
  .transform((value) => plainText(value));

const term = z.object({ '@_term': z.string() }).transform((node) => node['@_term']);

const entry = z.object({
  id: text,
  title: text,
  summary: text.default(''),
  published: text.default(''),
  updated: text.default(''),
  author: z.array(z.object({ name: text })).default([]),
  link: z
    .array(z.object({ '@_href': z.string(), '@_rel': z.string().optional(), '@_title': z.string().optional() }))
    .default([]),
  category: z.array(term).default([]),
  primary_category: term.optional(),
  doi: text.optional(),
  journal_ref: text.optional(),
  comment: text.optional(),
});

const document = z.object({
  feed: z.object({
    entry: z.array(entry).default([]),
    totalResults: text.pipe(z.string().regex(/^\d+$/)).transform(Number),
  }),
});

const parser = new XMLParser({
  ignoreAttributes: false,
  attributeNamePrefix: '@_',
  removeNSPrefix: true,
  // As a number, the id 1706.10 would become 1706.1.
  parseTagValue: false,
  isArray: (name) => ['entry', 'author', 'link', 'category'].includes(name),
});

/**
 * Reads arXiv's Atom feed. Throws `invalid` for a query that arXiv did not understand (it says so in an entry), and
 * `unavailable` for anything that is not such a feed.
 */
export function parseFeed(xml: string): Feed {
  const { feed } = parseDocument(xml);
  const complaint = feed.entry.find(({ id }) => id.includes('/api/errors'));
  if (complaint) throw misunderstood(complaint.id);
  return { papers: feed.entry.map(toPaper), total: feed.totalResults };
}

function parseDocument(xml: string): z.output<typeof document> {
  // Atom needs no entity declarations, and an entity can expand to any amount of text.
  if (/<!DOCTYPE/i.test(xml)) throw notFeed('it declares a document type');
  // The parser itself accepts a document that ends in the middle, and any other markup.
  if (XMLValidator.validate(xml) !== true) throw notFeed('it is not well-formed XML, or ends in the middle');
  let value: unknown;
  try {
    value = parser.parse(xml);
  } catch (error) {
    throw notFeed('it cannot be parsed', error);
  }
  const parsed = document.safeParse(value);
  if (!parsed.success) throw notFeed('it is not an Atom feed of search results', parsed.error);
  return parsed.data;
}

function toPaper(found: z.output<typeof entry>): Paper {
  const address = found.link.find((link) => link['@_rel'] === 'alternate')?.['@_href'] ?? found.id;
  const pdf = found.link.find((link) => link['@_title'] === 'pdf')?.['@_href'];
  return {
    id: found.id.replace(/^.*\/abs\//, ''),
    title: found.title,
    summary: found.summary,
    authors: found.author.map((author) => author.name),
    published: found.published,
    updated: found.updated,
    url: address,
    ...(pdf === undefined ? {} : { pdf_url: pdf }),
    categories: found.category,
    ...(found.primary_category === undefined ? {} : { primary_category: found.primary_category }),
    ...(found.doi === undefined ? {} : { doi: found.doi }),
    ...(found.journal_ref === undefined ? {} : { journal_ref: found.journal_ref }),
    ...(found.comment === undefined ? {} : { comment: found.comment }),
  };
}

/** Names the error code in the entry's id (`http://arxiv.org/api/errors#incorrect_id_format_for_12`), not arXiv's text. */
function misunderstood(id: string): RuntimeError {
  const code = (id.split('#')[1] ?? '').replace(/[^\w.-]+/g, '_').slice(0, 100);
  return new RuntimeError(
    'invalid',
    `arXiv did not understand the search${code === '' ? '' : ` (${code})`}.`,
    'Use plain words, a "phrase", or fields such as ti:, au:, abs: and cat: joined by AND, OR, ANDNOT; ids in id_list look like 1706.03762.',
  );
}

function notFeed(why: string, cause?: unknown): RuntimeError {
  return new RuntimeError(
    'unavailable',
    `arXiv's answer cannot be used: ${why}.`,
    'Try again later. If ARXIV_BASE_URL is set, check that it is the address of the arXiv API.',
    { cause },
  );
}

import { expect, it } from 'vitest';
import { parseFeed } from '../../../../src/downstream/native/arxiv/feed.js';
import { body } from '../web-service.js';

it('reads papers with all their fields, on one line and with entities resolved', () => {
  const { papers, total } = parseFeed(body('attention.xml'));
  expect(total).toBe(412);
  expect(papers[0]).toEqual({
    id: '1706.03762v7',
    title: 'Attention Is All You Need',
    summary: expect.stringMatching(/^The dominant .* 28\.4 BLEU & more, i\.e\. p < 0\.05\.$/),
    authors: ['Ashish Vaswani', 'Noam Shazeer'],
    published: '2017-06-12T17:57:34Z',
    updated: '2023-08-02T00:41:18Z',
    url: 'http://arxiv.org/abs/1706.03762v7',
    pdf_url: 'http://arxiv.org/pdf/1706.03762v7',
    categories: ['cs.CL', 'cs.LG'],
    primary_category: 'cs.CL',
    comment: '15 pages, 5 figures',
  });
  expect(papers[1]).toMatchObject({
    id: 'hep-th/9901001v3',
    title: 'Zur Theorie der Größe $\\mathcal{N}=1.10$',
    summary: '1.10',
    doi: '10.1103/PhysRevD.60.1',
    journal_ref: 'Phys.Rev. D60 (1999) 1',
  });
});

it('one paper is a list of one, and namespaces may be declared at every element', () => {
  const { papers, total } = parseFeed(body('one-old-style.xml'));
  expect(total).toBe(1);
  expect(papers).toHaveLength(1);
  expect(papers[0]).toMatchObject({
    authors: ['Ashish Vaswani'],
    categories: ['cs.CL'],
    comment: '15 pages, 5 figures',
  });
});

it('finding nothing is an empty list', () => {
  expect(parseFeed(body('none.xml'))).toEqual({ papers: [], total: 0 });
});

it("a query that arXiv refuses is invalid, with its error code and without arXiv's words", () => {
  const parse = () => parseFeed(body('bad-query.xml'));
  expect(parse).toThrow(expect.objectContaining({ code: 'invalid' }));
  expect(parse).toThrow('incorrect_id_format_for_12');
  expect(parse).not.toThrow('Ignore');
});

const whole = body('attention.xml');
it.each([
  ['a feed that ends in the middle of an entry', whole.slice(0, whole.length - 900)],
  ['a feed that ends before its last tag', whole.trimEnd().slice(0, -'</feed>'.length)],
  ['a web page', '<!DOCTYPE html><html><body><p>Down for maintenance</body></html>'],
  ['a well-formed web page', '<html><body><p>Down for maintenance</p></body></html>'],
  ['a feed of something else', '<feed><title>News</title></feed>'],
  [
    'a total that is no number',
    body('none.xml').replace('>0</opensearch:totalResults', '>many</opensearch:totalResults'),
  ],
  ['plain text', 'Service unavailable'],
  ['nothing', ''],
])('%s is unavailable, never an empty list', (_, xml) => {
  expect(() => parseFeed(xml)).toThrow(expect.objectContaining({ code: 'unavailable' }));
});

it('an entity bomb is refused at once', () => {
  const levels = Array.from({ length: 30 }, (_, level) =>
    level === 0 ? '<!ENTITY e0 "lol">' : `<!ENTITY e${level} "${`&e${level - 1};`.repeat(10)}">`,
  );
  const bomb = `<?xml version="1.0"?><!DOCTYPE feed [${levels.join('')}]><feed><title>&e29;</title></feed>`;
  const startedAt = performance.now();
  expect(() => parseFeed(bomb)).toThrow(expect.objectContaining({ code: 'unavailable' }));
  expect(performance.now() - startedAt).toBeLessThan(10_000);
});

it('a field named like a member of every object does no harm', () => {
  const odd = body('one-old-style.xml').replace('<summary>', '<__proto__><polluted>1</polluted></__proto__><summary>');
  try {
    parseFeed(odd);
  } catch (error) {
    expect(error).toMatchObject({ code: 'unavailable' });
  }
  expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
});

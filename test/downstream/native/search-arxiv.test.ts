import { expect, it } from 'vitest';
import { nativeTools } from '../../../src/downstream/native/index.js';
import { searchArxiv, toSearchQuery } from '../../../src/downstream/native/search-arxiv.js';
import { eventually } from '../../support/eventually.js';
import { movingClock } from '../../support/moving-clock.js';
import { testRuntime } from '../../support/test-runtime.js';
import { call } from './native-context.js';
import { body, type Reply, replyWith, webService } from './web-service.js';

const atom = (name: string, status = 200) =>
  replyWith(status, body(name), { 'content-type': 'application/atom+xml; charset=UTF-8' });
const hangs: Reply = () => undefined;

async function set(...replies: Reply[]) {
  const arxiv = await webService(...replies);
  const clock = movingClock();
  const env = { ARXIV_BASE_URL: arxiv.origin, AGENT_RUNTIME_CONTACT: 'me@example.org' };
  const runtime = await testRuntime({ clock, env });
  const search = (given: Record<string, unknown>, signal?: AbortSignal) => call(searchArxiv, given, runtime, signal);
  return { arxiv, clock, runtime, env, search };
}

it('is one of the native tools, with web_search', () => {
  expect(nativeTools.map(({ name }) => name)).toEqual(['search_arxiv', 'web_search']);
});

it('asks arXiv for every word, and says who asks', async () => {
  const { arxiv, search } = await set(atom('attention.xml'));
  const { results, total_results, age_seconds } = await search({ query: '  attention  transformer ' });
  expect(total_results).toBe(412);
  expect(age_seconds).toBeUndefined();
  expect(results.map(({ id }: { id: string }) => id)).toEqual(['1706.03762v7', 'hep-th/9901001v3']);
  const [request] = arxiv.received;
  expect(request?.url.pathname).toBe('/api/query');
  expect(Object.fromEntries(request?.url.searchParams ?? [])).toEqual({
    search_query: 'all:attention AND all:transformer',
    start: '0',
    max_results: '10',
    sortBy: 'relevance',
    sortOrder: 'descending',
  });
  expect(request?.headers['user-agent']).toMatch(/^agent-runtime\/\S+ \(\+https:.*; mailto:me@example\.org\)$/);
});

it('searches by fields, by ids, newest first, and from a place on', async () => {
  const { arxiv, clock, search } = await set(atom('one-old-style.xml'));
  await search({ query: 'au:vaswani AND cat:cs.CL', sort_by: 'submittedDate', start: 20, max_results: 100 });
  clock.pass(3_100);
  await search({ id_list: ['1706.03762', 'hep-th/9901001v3'] });
  const [first, second] = arxiv.received.map(({ url }) => url.searchParams);
  expect(first?.get('search_query')).toBe('au:vaswani AND cat:cs.CL');
  expect(first?.get('sortBy')).toBe('submittedDate');
  expect(first?.get('start')).toBe('20');
  expect(first?.get('max_results')).toBe('100');
  expect(second?.get('id_list')).toBe('1706.03762,hep-th/9901001v3');
  expect(second?.has('search_query')).toBe(false);
});

it.each([
  ['nothing', {}],
  ['a query without a word', { query: '"" --' }],
])('%s is refused, and arXiv is not asked', async (_, given) => {
  const { arxiv, search } = await set(atom('none.xml'));
  await expect(search(given)).rejects.toMatchObject({ code: 'invalid' });
  expect(arxiv.received).toHaveLength(0);
});

it.each([
  { query: 'x', max_results: 0 },
  { query: 'x', max_results: 101 },
  { query: '   ' },
  { query: 'x', id_list: ['1706.03762&max_results=2000'] },
  { query: 'x', start: -1 },
  { query: 'x', limit: 3 },
])('its schema rejects what is out of bounds: %j', (given) => {
  expect(searchArxiv.input.safeParse(given).success).toBe(false);
});

it('a default answer is short enough for a model, and says where something is cut', async () => {
  const authors = Array.from({ length: 3_000 }, (_, index) => `<author><name>Author ${index}</name></author>`).join('');
  const entry = /<entry>[\s\S]*?<\/entry>/.exec(body('one-old-style.xml'))?.[0] ?? '';
  const long = entry.replace('<author>', `${authors}<author>`).replace('sequence', 'sequence '.repeat(300));
  const { search, clock } = await set(
    replyWith(200, body('one-old-style.xml').replace(entry, long.repeat(10)), { 'content-type': 'text/xml' }),
  );
  const answer = await search({ query: 'x' });
  expect(JSON.stringify(answer).length).toBeLessThan(20_000);
  expect(answer.results[0].authors).toHaveLength(20);
  expect(answer.results[0].author_count).toBe(3_001);
  expect(answer.results[0].summary).toHaveLength(1_200);
  expect(answer.results[0].summary).toMatch(/…$/);
  clock.pass(3_100);
  expect((await search({ query: 'x', summary_chars: 5_000 })).results[0].summary.length).toBeGreaterThan(2_000);
});

it('an answer is cached for a day, for every process, and says its age', async () => {
  const { arxiv, clock, runtime, env, search } = await set(atom('attention.xml'));
  const first = await search({ query: 'attention' });
  clock.pass(86_399_000);
  const other = await testRuntime({ home: runtime.home, clock, env });
  const second = await call(searchArxiv, { query: 'attention', max_results: 10 }, other);
  expect(second).toEqual({ ...first, age_seconds: 86_399 });
  expect(arxiv.received).toHaveLength(1);
  await search({ query: 'attention', max_results: 11 });
  expect(arxiv.received).toHaveLength(2);
  clock.pass(3_100);
  expect((await search({ query: 'attention' })).age_seconds).toBeUndefined();
  expect(arxiv.received).toHaveLength(3);
});

it('an answer from before the clock was set back has no known age, and is asked for again', async () => {
  const { arxiv, clock, search } = await set(atom('attention.xml'));
  await search({ query: 'attention' });
  clock.stepWallClock(-3_600_000);
  clock.pass(3_100);
  await search({ query: 'attention' });
  expect(arxiv.received).toHaveLength(2);
});

it.each([200, 400])(
  'a query that arXiv refuses in a feed with status %i is invalid, and is not kept',
  async (status) => {
    const { arxiv, clock, search } = await set(atom('bad-query.xml', status));
    for (let time = 1; time <= 2; time++) {
      await expect(search({ id_list: ['12'] })).rejects.toMatchObject({ code: 'invalid' });
      expect(arxiv.received).toHaveLength(time);
      clock.pass(3_100);
    }
  },
);

it.each<[string, Reply]>([
  ['an error of the server', replyWith(500, 'oops')],
  ['a 400 that is no feed', replyWith(400, 'Bad Request')],
  ['a web page', replyWith(200, '<html><body>Maintenance</body></html>', { 'content-type': 'text/html' })],
  ['a feed cut in the middle', replyWith(200, body('attention.xml').slice(0, 2_000))],
  [
    'a connection cut in the middle',
    (response) => {
      response.writeHead(200, { 'content-length': '100000' }).write(body('attention.xml'));
      setTimeout(() => response.destroy(), 20);
    },
  ],
  ['more than 5 MB', replyWith(200, ' '.repeat(5_000_001))],
  ['a redirect to another host', replyWith(302, '', { location: 'http://localhost:1/api/query' })],
])('%s is unavailable: an error, never an empty list, and the next call asks again', async (_, reply) => {
  const { arxiv, clock, search } = await set(reply);
  await expect(search({ query: 'x' })).rejects.toMatchObject({ code: 'unavailable', hint: expect.any(String) });
  clock.pass(3_100);
  arxiv.answer(atom('none.xml'));
  expect(await search({ query: 'x' })).toEqual({ results: [], total_results: 0 });
});

it('an address where nothing listens is unavailable, and names the host', async () => {
  const runtime = await testRuntime({ env: { ARXIV_BASE_URL: 'http://127.0.0.1:1/mirror/' } });
  const failure = call(searchArxiv, { query: 'x' }, runtime);
  await expect(failure).rejects.toMatchObject({ code: 'unavailable', message: expect.stringContaining('127.0.0.1:1') });
});

it('a call that is cancelled in the middle of its request ends it, and the next one has its turn', async () => {
  const { arxiv, clock, search } = await set(hangs);
  const controller = new AbortController();
  const failure = search({ query: 'x' }, controller.signal);
  await eventually('the request', () => arxiv.received.length === 1);
  controller.abort();
  await expect(failure).rejects.toMatchObject({ code: 'cancelled' });
  clock.pass(3_100);
  arxiv.answer(atom('none.xml'));
  expect((await search({ query: 'x' })).total_results).toBe(0);
});

it("a caller's own deadline is a timeout", async () => {
  const { search } = await set(hangs);
  await expect(search({ query: 'x' }, AbortSignal.timeout(100))).rejects.toMatchObject({ code: 'timeout' });
});

it('a call that is cancelled before it starts sends no request', async () => {
  const { arxiv, search } = await set(hangs);
  await expect(search({ query: 'x' }, AbortSignal.abort())).rejects.toMatchObject({ code: 'cancelled' });
  expect(arxiv.received).toHaveLength(0);
});

it('a longer wait than a call may take is rate_limited at once, for all sessions and without a request', async () => {
  const { arxiv, clock, search } = await set(replyWith(429, 'Rate exceeded.', { 'retry-after': '120' }));
  await expect(search({ query: 'x' })).rejects.toMatchObject({ code: 'rate_limited', retryAfterSeconds: 120 });
  clock.pass(20_000);
  await expect(search({ query: 'y' })).rejects.toMatchObject({ code: 'rate_limited', retryAfterSeconds: 100 });
  expect(arxiv.received).toHaveLength(1);
  clock.pass(100_000);
  arxiv.answer(atom('none.xml'));
  expect((await search({ query: 'y' })).total_results).toBe(0);
});

it('a 429 is tried again after 3 and 9 seconds, then it is rate_limited', async () => {
  const limited = replyWith(429, 'Rate exceeded.', { 'content-type': 'text/plain' });
  const saidOtherwise = replyWith(200, 'Rate exceeded.', { 'content-type': 'text/plain' });
  // On the real clock, because the waits are measured.
  const trying = async (...replies: Reply[]) => {
    const arxiv = await webService(...replies);
    const runtime = await testRuntime({ env: { ARXIV_BASE_URL: arxiv.origin } });
    const outcome = await call(searchArxiv, { query: 'x' }, runtime).catch((error: unknown) => error);
    const [first = 0, second = 0, third = 0] = arxiv.received.map(({ at }) => at);
    return { outcome, count: arxiv.received.length, waits: [second - first, third - second] };
  };
  const [recovers, gives] = await Promise.all([trying(limited, saidOtherwise, atom('none.xml')), trying(limited)]);
  expect(recovers.outcome).toEqual({ results: [], total_results: 0 });
  expect(gives.outcome).toMatchObject({ code: 'rate_limited', retryAfterSeconds: 27 });
  for (const { count, waits } of [recovers, gives]) {
    expect(count).toBe(3);
    // A request may take a while to arrive, so the next one may seem early.
    expect(waits[0]).toBeGreaterThan(1_500);
    expect(waits[1]).toBeGreaterThan(7_500);
  }
});

it.each([
  ['transformer', 'all:transformer'],
  ['graph neural networks', 'all:graph AND all:neural AND all:networks'],
  ['"attention is all you need" vaswani', 'all:"attention is all you need" AND all:vaswani'],
  ['cats OR dogs', 'all:cats OR all:dogs'],
  ['cats ANDNOT dogs birds', 'all:cats ANDNOT all:dogs AND all:birds'],
])('words must all occur, phrases as they are, operators join: %s', (text, query) => {
  expect(toSearchQuery(text)).toBe(query);
});

it.each([
  'au:hinton AND cat:cs.LG',
  'ti:"deep learning"',
  '(abs:quark OR abs:gluon) ANDNOT co:erratum',
  'all:electron',
  'submittedDate:[202601010000 TO 202602010000]',
  'jr:nature',
  'rn:CERN-1',
  'id:1706.03762',
])('a query that names fields is left as it is: %s', (query) => {
  expect(toSearchQuery(query)).toBe(query);
});

it.each([
  ['O(n log n) sorting', 'all:"O(n" AND all:log AND all:"n)" AND all:sorting'],
  ['Foo: a study', 'all:"Foo:" AND all:a AND all:study'],
  ['"says ti:hello" there', 'all:"says ti:hello" AND all:there'],
  ['one "unfinished phrase', 'all:one AND all:unfinished AND all:phrase'],
  ['Größe 日本', 'all:Größe AND all:日本'],
  ['C++ vs - Rust', 'all:C++ AND all:vs AND all:Rust'],
])('what would be read as syntax is put into a phrase, what is no word left out: %s', (text, query) => {
  expect(toSearchQuery(text)).toBe(query);
});

it.each(['""', '--', '( )', '"  "'])('nothing is left of %s', (text) => {
  expect(toSearchQuery(text)).toBe('');
});

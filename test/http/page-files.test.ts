import { gunzipSync } from 'node:zlib';
import { expect, it } from 'vitest';
import { pageFiles } from '../dashboard/open-page.js';

const files = pageFiles();
const ask = (path: string, headers: Record<string, string> = {}) =>
  files.answer(new Request(`http://localhost${path}`, { headers }), 42);

it('every view has the same document, which knows the newest change and names the versions of what it loads', async () => {
  const document = (await ask('/board/task/3')?.text()) ?? '';
  expect(document).toContain('name="newest-event" content="42"');
  const [, script = ''] = /src="(\/page\.js\?v=[0-9a-f]{16})"/.exec(document) ?? [];
  expect(ask(script)?.headers.get('cache-control')).toBe('private, max-age=31536000, immutable');
  expect(ask('/page.js')?.headers.get('cache-control')).toBe('private, no-cache');
  // What the script loads later is named by its content.
  const [part = ''] = /part-\w+\.js/.exec((await ask(script)?.text()) ?? '') ?? [];
  expect(ask(`/${part}`)?.headers.get('cache-control')).toBe('private, max-age=31536000, immutable');
  expect(ask('/nothing.js')).toBeUndefined();
});

it('a file is sent packed to those who can unpack it, and not again to those who have it', async () => {
  const plain = ask('/page.js');
  const packed = ask('/page.js', { 'accept-encoding': 'gzip, br' });
  const bytes = Buffer.from((await packed?.arrayBuffer()) ?? new ArrayBuffer(0));
  expect(packed?.headers.get('content-encoding')).toBe('gzip');
  expect(gunzipSync(bytes).toString()).toBe(await plain?.text());
  const known = ask('/page.js', { 'if-none-match': plain?.headers.get('etag') ?? '' });
  expect(known?.status).toBe(304);
});

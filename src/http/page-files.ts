import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';

/** The built files of the dashboard. */
export interface PageFiles {
  /**
   * The file that is asked for, if there is one; every view has an address of its own and the same file. That names the
   * version of each file that it loads, and those are kept by the browser for good; what is asked for without a version
   * is asked for again each time.
   *
   * @param newestEvent the id that the page goes on from
   */
  answer(request: Request, newestEvent: number): Response | undefined;
}

interface PageFile {
  body: Uint8Array<ArrayBuffer>;
  type: string;
  version: string;
  isPart: boolean;
}

const types: Readonly<Record<string, string>> = {
  html: 'text/html; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  css: 'text/css; charset=utf-8',
  svg: 'image/svg+xml',
  webmanifest: 'application/manifest+json',
};

/** What a view is made of, named by its content. */
const isPart = (name: string): boolean => /^part-\w+\.js$/.test(name);

const eventMark = '<meta name="newest-event" content="" />';

/** Reads the page from the folder beside this program, once. */
export function readPageFiles(folder: URL = new URL('./dashboard/', import.meta.url)): PageFiles {
  const read = (name: string) => readFileSync(fileURLToPath(new URL(name, folder)));
  const names = readdirSync(folder).filter((name) => name !== 'index.html');
  const files = new Map(names.map((name) => [`/${name}`, toFile(name, read(name))]));
  let document = read('index.html').toString();
  for (const [path, { version }] of files) document = document.replaceAll(`"${path}"`, `"${path}?v=${version}"`);
  const packed = new Map<string, Uint8Array<ArrayBuffer>>();

  return {
    answer(request, newestEvent) {
      const { pathname, searchParams } = new URL(request.url);
      const file = files.get(pathname);
      if (!file && /\.\w+$/.test(pathname)) return undefined;
      if (!file) {
        const html = document.replace(eventMark, `<meta name="newest-event" content="${newestEvent}" />`);
        return new Response(html, { headers: { 'Content-Type': types.html ?? '' } });
      }
      const isVersioned = file.isPart || searchParams.get('v') === file.version;
      const headers = new Headers({
        'Content-Type': file.type,
        ETag: `"${file.version}"`,
        'Cache-Control': isVersioned ? 'private, max-age=31536000, immutable' : 'private, no-cache',
        Vary: 'Accept-Encoding',
      });
      if (request.headers.get('if-none-match') === `"${file.version}"`)
        return new Response(null, { status: 304, headers });
      if (!/\bgzip\b/.test(request.headers.get('accept-encoding') ?? '')) return new Response(file.body, { headers });
      const body = packed.get(pathname) ?? new Uint8Array(gzipSync(file.body));
      packed.set(pathname, body);
      headers.set('Content-Encoding', 'gzip');
      return new Response(body, { headers });
    },
  };
}

function toFile(name: string, content: Buffer): PageFile {
  const version = createHash('sha256').update(content).digest('hex').slice(0, 16);
  return {
    body: new Uint8Array(content),
    type: types[name.split('.').at(-1) ?? ''] ?? 'application/octet-stream',
    version,
    isPart: isPart(name),
  };
}

import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** The built files of the dashboard, by the path under which they are served. */
export interface PageFiles {
  get(path: string): { body: Uint8Array<ArrayBuffer>; type: string } | undefined;
}

const types: Readonly<Record<string, string>> = {
  html: 'text/html; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  css: 'text/css; charset=utf-8',
  svg: 'image/svg+xml',
};

const names = ['index.html', 'page.js', 'page-style.css', 'icon.svg'];

/** Reads the page from the folder beside this program, once. Every view has an address of its own and the same file. */
export function readPageFiles(folder: URL = new URL('./dashboard/', import.meta.url)): PageFiles {
  const files = new Map(
    names.map((name) => {
      const body = new Uint8Array(readFileSync(fileURLToPath(new URL(name, folder))));
      return [`/${name}`, { body, type: types[name.split('.').at(-1) ?? ''] ?? 'application/octet-stream' }];
    }),
  );
  return { get: (path) => files.get(path) ?? (/\.\w+$/.test(path) ? undefined : files.get('/index.html')) };
}

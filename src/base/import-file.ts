/** Imports a user's ES module or CommonJS file by its `file:` URL. */
export function importFile(url: string): Promise<Record<string, unknown>> {
  // The program in one file is handed Node's own import by its starter (.config/build.mjs, src/base/code-cache.ts).
  return import(url);
}
